"""The colours of charts: apart for readers with any of three colour deficiencies (OKLab), 3:1 against their paper."""

from __future__ import annotations

PAPER, INK, SOFT, GRID, OTHER = "#ffffff", "#1d2733", "#54606d", "#dfe4ea", "#cfd5db"
GAIN, LOSS = "#0d5c63", "#c2410c"
COLOURS = ("#17624a", "#c96a1b", "#5990f3", "#9253a2", "#b089a5", "#410951", "#063f09", "#662a86")
WIDE, NARROW_BAND = "#cfe3f5", "#9cc5ea"  # intervals of 95 and 80 %
LINE, SEEN, FAINT = "#0b5fa5", "#444444", "#848484"

# Charts are drawn for white paper. A page in the dark has for each of their colours another.
DARK = {
    PAPER: "#14191f",
    INK: "#e6eaef",
    SOFT: "#a9b4c0",
    GRID: "#313c48",
    OTHER: "#4a5663",
    GAIN: "#55c8c0",
    LOSS: "#ff8a5c",
    **dict(
        zip(
            COLOURS,
            ("#4fbf97", "#e08a3c", "#4c5dc2", "#7bf8fe", "#b04409", "#bd92f1", "#eae867", "#9f7290"),
            strict=True,
        )
    ),
    WIDE: "#1f3b57",
    NARROW_BAND: "#2f5f8f",
    LINE: "#7fb8f0",
    SEEN: "#c4ccd4",
    FAINT: "#8b959f",
}
