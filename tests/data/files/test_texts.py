"""Text files in the separators, encodings, line ends and headers that systems write."""

from pathlib import Path

import pytest

from trajectory.data.files.table import Layout, RawTable, read_table
from trajectory.schema import UserError

ROWS = [[f"u{i % 4}", f"i{i % 3}", str(1_700_000_000 + i)] for i in range(12)]
NAMES = ["user_id", "item_id", "timestamp"]


def read(folder: Path, content: str | bytes, name: str = "log.csv", **layout: object) -> RawTable:
    (folder / name).write_bytes(content.encode() if isinstance(content, str) else content)
    return read_table(folder / name, Layout(**layout))  # type: ignore[arg-type]


def text(separator: str, rows: list[list[str]] | None = None, header: bool = True, end: str = "\n") -> str:
    return "".join(separator.join(row) + end for row in [*([NAMES] if header else []), *(rows or ROWS)])


def cells(raw: RawTable) -> list[list[str]]:
    return [[str(cell) for cell in row] for row in raw.table.rows()]


@pytest.mark.parametrize("separator", [",", ";", "\t", "|", " ", "   ", "^", "::", "||", "~", "\x01", "¦"])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_separators_and_line_ends_are_found(tmp_path: Path, separator: str, end: str) -> None:
    raw = read(tmp_path, text(separator, end=end))
    assert raw.table.columns == NAMES
    assert cells(raw) == ROWS
    assert raw.malformed is None
    assert any("data.separator" in note for note in raw.notes) == (separator not in ",\t")


@pytest.mark.parametrize("separator", [",", ";", "|", "^", "~"])
def test_separators_between_quoted_cells_are_found(tmp_path: Path, separator: str) -> None:
    quoted = [[f'"{cell}"' for cell in row] for row in [NAMES, *ROWS]]
    raw = read(tmp_path, text(separator, quoted, header=False))
    assert (raw.table.columns, cells(raw)) == (NAMES, ROWS)


def test_names_are_proposed_for_a_file_without_a_header_line_by_what_stands_in_it(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"--config.data.header=user_id,item_id,c3,event_type,timestamp$"):
        read(tmp_path, "".join(f"9{i},5{i},20{i},pv,15116876{i:02}\n" for i in range(20)))


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
def test_lines_of_separators_alone_are_blank_lines(tmp_path: Path, separator: str) -> None:
    lines = text(separator).splitlines()
    blank = [separator * (len(NAMES) - 1), separator.join(['""', " "] + [""] * (len(NAMES) - 2))]
    odd = separator.join(["only", "two"])
    raw = read(tmp_path, "\n".join([lines[0], *blank, *lines[1:3], odd, *blank, *lines[3:], *blank]) + "\n")
    assert raw.malformed is not None
    assert raw.malformed.to_list() == [None, None, odd, *[None] * (len(ROWS) - 2)]
    assert [row for row in cells(raw) if row[0] != "None"] == ROWS
    assert "log.csv: 6 lines of separators alone are left out, as blank lines are" in "; ".join(raw.notes)


def test_dates_of_digits_pieces_and_money_are_proposed_as_no_ids(tmp_path: Path) -> None:
    rows = [f" 000{i // 3:02} 199704{1 + i % 28:02}  {(1, 4, 3, 11)[i % 4]}   {12 + i}.50\n" for i in range(40)]
    with pytest.raises(UserError, match=r"--config.data.header=user_id,timestamp,quantity,c4$"):
        read(tmp_path, "".join(rows), "log.txt")


def test_chinese_names_of_columns_prove_their_encoding(tmp_path: Path) -> None:
    raw = read(tmp_path, ("用户id,商品id,行为类型\n" + "u,i,pv\n" * 3).encode("gb18030"))
    assert raw.table.columns == ["用户id", "商品id", "行为类型"]


@pytest.mark.parametrize(
    ("encoding", "names"),
    [
        ("cp1250", "Login kupującego;Numer oferty;Ilość"),
        ("cp1251", "Код клиента;Артикул;Количество"),
        ("cp1254", "Müşteri;Ürün Kodu;Adet"),
        ("cp949", "회원번호;상품코드;수량"),
        ("cp932", "会員番号;商品コード;数量"),
    ],
)
def test_names_of_columns_prove_their_encoding(tmp_path: Path, encoding: str, names: str) -> None:
    raw = read(tmp_path, (f"{names}\n" + "u;i;1\n" * 3).encode(encoding))
    assert raw.table.columns == names.split(";")
    assert any(f"read as {encoding}" in note for note in raw.notes)


def test_names_that_are_proposed_put_no_id_to_a_fraction_and_know_dates_in_words(tmp_path: Path) -> None:
    rows = "".join(f"{i};4{i}.5;Tue Apr {i + 10} 08:12:57 +0000 2012;v{i}\n" for i in range(9))
    with pytest.raises(UserError, match=r"--config.data.header=user_id,c2,timestamp,item_id$"):
        read(tmp_path, rows)


def test_many_lines_decide_the_separator_not_the_first(tmp_path: Path) -> None:
    rows = [[user, item, f"{i},5{i}"] for i, (user, item, _) in enumerate(ROWS)]
    raw = read(tmp_path, "user_id;item_id;price, in euros\n" + text(";", rows, header=False))
    assert raw.table.columns == ["user_id", "item_id", "price, in euros"]
    assert cells(raw) == rows


def test_a_line_may_name_a_tab(tmp_path: Path) -> None:
    assert cells(read(tmp_path, "sep=\t\n" + text("\t"))) == ROWS


def test_a_separator_may_be_set(tmp_path: Path) -> None:
    assert cells(read(tmp_path, text("@"), separator="@")) == ROWS
    assert cells(read(tmp_path, text("\t"), separator="tab")) == ROWS


@pytest.mark.parametrize(
    "before", ["sep=;\n", '"sep=;"\n', "\ufeffsep=;\n", "\n\n", "# made by a shop\n# at noon; here\n\n"]
)
def test_lines_before_the_header(tmp_path: Path, before: str) -> None:
    raw = read(tmp_path, before + text(";"))
    assert (raw.table.columns, cells(raw)) == (NAMES, ROWS)
    assert any("comment" in note for note in raw.notes) == ("#" in before)


@pytest.mark.parametrize("ragged", ["u9;i9", "u9;i9;1;x", "u9", "u9;i9;1;;x", '"u9";"i9"'])
@pytest.mark.parametrize("place", [0, 5, 12])
def test_a_ragged_row_anywhere_is_one_malformed_row(tmp_path: Path, ragged: str, place: int) -> None:
    lines = text(";").splitlines(keepends=True)
    raw = read(tmp_path, "".join([*lines[: place + 1], ragged + "\n", *lines[place + 1 :]]))
    assert raw.malformed is not None
    assert raw.malformed.drop_nulls().to_list() == [ragged]
    assert raw.malformed[place] == ragged
    assert [row for row in cells(raw) if row[0] != "None"] == ROWS


@pytest.mark.parametrize(("head", "body"), [("", ";"), (";", ";"), (";;", ";;"), ("", " ; "), (";", "")])
def test_delimiters_at_the_ends_of_lines_are_no_fault(tmp_path: Path, head: str, body: str) -> None:
    rows = "".join(";".join(row) + body + "\n" for row in ROWS)
    raw = read(tmp_path, ";".join(NAMES) + head + "\n" + rows)
    assert (raw.table.columns, cells(raw), raw.malformed) == (NAMES, ROWS, None)


def test_a_column_without_a_name_that_holds_something_stays(tmp_path: Path) -> None:
    raw = read(tmp_path, "user_id,item_id,\nu,i,x\nv,j,\n")
    assert raw.table.rows() == [("u", "i", "x"), ("v", "j", None)]


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ('"one, ""two"""', 'one, "two"'),
        ('"over\ntwo lines"', "over\ntwo lines"),
        ('a 5" pipe', 'a 5" pipe'),
        ('"half" quoted', '"half" quoted'),
        ('"said \\"so, there\\""', 'said "so, there"'),
        (' "after, a space"', "after, a space"),
        ('"' + "x" * 200_000 + '"', "x" * 200_000),
    ],
)
def test_quotes(tmp_path: Path, cell: str, value: str) -> None:
    raw = read(tmp_path, f"user_id,title,item_id\n1,{cell},2\n3,plain,4\n")
    assert raw.table.rows() == [(1, value, 2), (3, "plain", 4)]


def test_one_quote_that_is_never_closed_costs_no_other_row(tmp_path: Path) -> None:
    rows = [[str(i), "title", "x"] for i in range(500)]
    rows[7][1] = '"open'
    raw = read(tmp_path, text(",", rows))
    assert raw.table.height == 500
    assert raw.table["item_id"].to_list() == [row[1] for row in rows]


def test_a_header_line_again_in_the_middle_is_no_row(tmp_path: Path) -> None:
    raw = read(tmp_path, text(",") + text(","))
    assert raw.malformed is not None
    assert raw.malformed.drop_nulls().to_list() == [",".join(NAMES)]
    assert raw.table.height == 2 * len(ROWS) + 1


@pytest.mark.parametrize(
    "content",
    [
        "7,12,pv,1700000000\n8,13,buy,1700000001\n",
        "anna;tea;view\nben;milk;view\nanna;milk;buy\n",
        "1::5::2024-01-02\n",
    ],
)
def test_a_file_without_a_header_line_is_asked_for_one(tmp_path: Path, content: str) -> None:
    first = content.partition("\n")[0]
    with pytest.raises(UserError, match=f"no header line.*{first}.*data.header"):
        read(tmp_path, content)
    names = tuple("abcd"[: len(content.splitlines()[0].replace("::", ",").replace(";", ",").split(","))])
    raw = read(tmp_path, content, header=names)
    assert raw.table.columns == [*names]
    assert raw.table.height == content.count("\n")


def test_names_that_do_not_fit_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"data\.header names 5 columns.*3 cells"):
        read(tmp_path, text(",", header=False), header=("a", "b", "c", "d", "e"))
    with pytest.raises(UserError, match="header line has 3 cells, the lines below have 4"):
        read(tmp_path, text(",", [["x", *row] for row in ROWS]))


def test_names_given_beside_a_header_line_do_not_make_it_a_row(tmp_path: Path) -> None:
    raw = read(tmp_path, text(","), header=tuple(NAMES))
    assert cells(raw) == ROWS
    assert "header line of its own" in raw.notes[0]


def test_names_in_a_comment_and_with_types(tmp_path: Path) -> None:
    assert read(tmp_path, "# user_id,item_id,timestamp\n7,8,9\n8,8,9\n").table.rows() == [(7, 8, 9), (8, 8, 9)]
    raw = read(tmp_path, "user_id:token\titem_id:token\trating:float\n1\t2\t3.5\n", "toy.inter")
    assert raw.table.columns == ["user_id", "item_id", "rating"]


WORDS = {
    "cp1252": "Crème brûlée, naïve façade; Müller éclair",
    "gb18030": "红色的手机和电脑，质量很好",
    "utf-8": "Müller 手机",
    "utf-16": "Müller 手机",
    "utf-16-le": "Müller plain letters",
    "utf-8-sig": "é",
}


@pytest.mark.parametrize("encoding", WORDS)
def test_encodings_are_told_by_evidence_and_said(tmp_path: Path, encoding: str) -> None:
    rows = [[user, f"{i} {WORDS[encoding]}", time] for i, (user, _, time) in enumerate(ROWS)]
    raw = read(tmp_path, text("|", rows).encode(encoding), separator="|")
    assert cells(raw) == rows
    assert bool(raw.notes) == (encoding not in ("utf-8", "utf-8-sig"))
    assert not raw.notes or encoding in raw.notes[0]


@pytest.mark.parametrize(
    ("encoding", "word"),
    [
        ("cp1251", "Красный телефон"),
        ("shift_jis", "赤いスマートフォン"),
        ("big5", "紅色手機電腦配件"),
        ("euc_kr", "빨간 휴대폰"),
    ],
)
def test_other_encodings_are_asked_for(tmp_path: Path, encoding: str, word: str) -> None:
    rows = [[user, word, time] for user, _, time in ROWS]
    with pytest.raises(UserError, match=r"line 2, byte 0x.*data\.encoding"):
        read(tmp_path, text(";", rows).encode(encoding))
    raw = read(tmp_path, text(";", rows).encode(encoding), encoding=encoding)
    assert cells(raw) == rows
    with pytest.raises(UserError, match="'klingon' is unknown"):
        read(tmp_path, text(";"), encoding="klingon")


def test_a_byte_that_is_no_utf_8_is_shown_for_what_it_is(tmp_path: Path) -> None:
    good = text(",", [[user, "é手机", time] for user, _, time in ROWS]).encode()
    raw = read(tmp_path, good + b"u9,caf\xe9,1\n")
    assert raw.table["item_id"][-1] == "caf\\xe9"
    assert "1 bytes are not UTF-8" in raw.notes[-1]


@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_title_lines_above_the_header_line_are_left_out_and_said(tmp_path: Path, separator: str) -> None:
    title = f"Sales by line\r\nFrom 2024-01-01 to 2024-05-31{separator * 2}\r\n{separator * 2}\r\n\r\n"
    raw = read(tmp_path, title + text(separator, end="\r\n"))
    assert raw.table.columns == NAMES
    assert cells(raw) == ROWS
    (note,) = [note for note in raw.notes if "above the header line" in note]
    assert note.endswith("the first: 'Sales by line'")


def test_a_sparse_first_row_is_no_title(tmp_path: Path) -> None:
    assert read(tmp_path, "user_id,,\nu1,a,1\nu2,b,1\n").table.columns[0] == "user_id"
    assert read(tmp_path, "kunde,artikel,tag\nu1,,\nu2,b,x\nu3,c,y\n").table.columns == ["kunde", "artikel", "tag"]


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_an_encoding_set_by_hand_that_the_file_is_not_in(tmp_path: Path, encoding: str) -> None:
    with pytest.raises(UserError, match=rf"log\.csv is not {encoding}"):
        read(tmp_path, text(","), encoding=encoding)


def test_lines_that_are_headings_of_those_below_are_explained(tmp_path: Path) -> None:
    lines = [f"{movie}:\n" + "".join(f"{i},{1 + i % 5},2005-09-08\n" for i in range(30)) for movie in (1, 2)]
    with pytest.raises(
        UserError, match=r"lines such as '1:' are headings of the lines below them: write what they say"
    ):
        read(tmp_path, "".join(lines).replace("1:\n", "1:\n2:\n", 1))


@pytest.mark.parametrize("stated", ["", "shift_jis", "cp932"])
def test_characters_of_windows_beyond_a_standard_are_read(tmp_path: Path, stated: str) -> None:
    cells = "".join(f"u{i};緑茶 ①号;{i}\n" for i in range(5))
    raw = read(tmp_path, ("会員番号;商品コード;数量\n" + cells).encode("cp932"), encoding=stated)
    assert raw.table["商品コード"].unique().to_list() == ["緑茶 ①号"]
