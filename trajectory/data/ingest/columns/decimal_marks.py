"""Which mark parts whole numbers from fractions where the names of columns are in a language that says so."""

from __future__ import annotations

from collections.abc import Iterable

from trajectory.data.ingest.columns.name_words import has_word

# German, French, Portuguese, Italian, Dutch, Nordic languages, Polish, Czech, Russian, Turkish, Indonesian, Vietnamese;
# no words of Spanish, which is written either way, nor of English.
# fmt: off
_COMMA = (
    "preis", "betrag", "menge", "anzahl", "datum", "kunde", "kundennummer", "bestellung", "umsatz", "rechnung", "prix",
    "montant", "quantité", "commande", "preço", "quantidade", "prezzo", "importo", "quantità", "ordine", "prijs",
    "bedrag", "aantal", "klant", "bestelling", "pris", "belopp", "beløb", "antal", "ordrenummer", "määrä", "hinta",
    "cena", "kwota", "ilość", "klient", "zamówienia", "množství", "zákazník", "objednávky", "цена", "сумма",
    "количество", "клиент", "заказа", "дата", "fiyat", "fiyatı", "tutar", "tutarı", "adet", "miktar", "müşteri",
    "sipariş", "harga", "jumlah", "pesanan", "pelanggan", "pembeli", "produk", "giá", "lượng",
)
# fmt: on
_SOME = 2  # columns whose names are in such a language at least


def mark_of_names(columns: Iterable[str]) -> str:
    """A comma where the names of some columns are of a language whose decimals stand behind one, else ""."""
    return "," if sum(has_word(name, _COMMA) for name in columns) >= _SOME else ""
