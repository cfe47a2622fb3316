"""Words in the names of columns of money, pieces and ratings, and of other numbers."""

from __future__ import annotations

# English, German, French, Spanish, Portuguese, Italian, Dutch, Polish, Russian, Turkish, Korean, Japanese, Chinese
# fmt: off
MONEY = (
    "amount", "amt", "price", "sum", "total", "subtotal", "revenue", "turnover", "sales", "spend", "spent", "paid",
    "value", "betrag", "umsatz", "preis", "summe", "montant", "prix", "importe", "precio", "monto", "ingresos", "valor",
    "preço", "preco", "importo", "prezzo", "totale", "bedrag", "prijs", "omzet", "totaal", "kwota", "cena",
    "wartość", "wartosc", "suma", "сумма", "цена", "стоимость", "tutar", "tutarı", "fiyat", "fiyatı", "금액",
    "가격", "단가", "결제액", "金額", "価格",
    "оплачено", "выручка", "bezahlt", "payé", "pagado", "pago", "pagato", "betaald", "betalt", "betald", "zapłacono",
    "zaplaceno", "ödenen", "支払金額", "결제금액", "实付", "dibayar",
    "単価", "合計", "小計", "金额", "价格", "单价", "总价", "小计", "成交额", "销售", "销售额", "营业额",
)
PIECES = (
    "quantity", "quantities", "qty", "units", "pieces", "pcs", "menge", "anzahl", "stückzahl", "stück", "quantité",
    "quantite", "qté", "qte", "cantidad", "unidades", "quantidade", "qtd", "qtde", "quantità", "quantita", "qta",
    "pezzi", "aantal", "antal", "antall", "määrä", "kpl", "ilość", "ilosc", "szt", "sztuk", "sztuki", "množství",
    "kusů", "количество", "штук", "miktar", "miktarı", "adet", "adedi", "kuantitas", "수량", "数量", "個数", "件数",
)
RATING = (
    "rating", "ratings", "stars", "bewertung", "calificación", "calificacion", "avaliação", "valutazione",
    "beoordeling", "ocena", "оценка", "평점", "評価", "评分",
)
# Amounts that are not what was paid for the goods, or not of one line.
OTHER = (
    "tax", "taxes", "vat", "gst", "mwst", "ust", "steuer", "iva", "tva", "btw", "discount", "discounts", "coupon",
    "rabatt", "remise", "descuento", "desconto", "sconto", "korting", "rabat", "shipping", "delivery", "freight",
    "postage", "handling", "versand", "versandkosten", "envío", "envio", "frete", "fee", "fees", "commission",
    "cargo", "comisión", "cost", "costs", "kosten", "coste", "custo", "costo", "koszt", "asset", "tip", "tips",
    "refund", "refunded", "refunds", "return", "returned", "returns", "cancelled", "canceled", "voided", "list",
    "msrp", "original", "old", "previous", "compare", "regular", "before", "competitor", "range", "band", "tier",
    "level", "category", "type", "class", "code", "id", "no", "number", "count", "index", "rank", "score", "credit",
    "debit", "balance", "due", "outstanding", "month", "monthly", "year", "yearly", "ytd", "lifetime", "avg",
    "average", "mean", "median", "min", "max", "minimum", "maximum", "margin", "profit", "gewinn", "budget",
    "points", "loyalty", "weight", "height", "width", "length", "size", "change", "rounding", "date", "time", "day",
    "sensitivity", "segment", "flag", "status", "ratio", "rate", "percent", "pct", "stock", "inventory", "available",
    "bestand", "reserved", "remaining", "pack", "per", "limit", "backordered", "reorder", "购物券", "优惠", "运费",
    "税", "成本", "原价", "利润", "毛利", "库存", "原価", "定価", "在庫", "원가", "정가", "재고",
    "customers", "users", "views", "clicks", "income", "currency",
    "dur", "duration", "seconds", "secs", "sec", "minutes", "mins", "hours", "hrs", "ms", "millis", "playtime",
    "watchtime", "watched", "listened", "dauer", "sekunden", "minuten", "stunden", "durée", "duree", "secondes",
    "heures", "duración", "duracion", "segundos", "minutos", "horas", "duração", "duracao", "durata", "secondi",
    "minuti", "ore", "duur", "seconden", "uren", "varighet", "varighed", "kesto", "czas", "sekundy", "minuty", "doba",
    "длительность", "продолжительность", "секунд", "минут", "часов", "süre", "saniye", "dakika", "時長", "时长", "秒",
    "分鐘", "分钟", "小時", "小时", "시간", "초", "durasi", "detik", "menit", "thời lượng", "phút", "giây",
    "plays", "streams", "listens", "likes", "shares", "comments", "votes", "followers", "visits", "sessions", "pages",
    "bytes", "kb", "mb", "distance", "km", "miles", "steps", "calories", "kcal",
)
NO_RATING = (
    "avg", "average", "mean", "count", "num", "no", "number", "total", "min", "max", "imdb", "age", "esrb", "mpaa",
    "content", "credit", "seller", "store", "id", "text", "type", "date", "time", "dt", "group", "band",
)
AMOUNT = ("amount", "amt")  # of money or of pieces
NO_AMOUNT = ("total", "sales", "paid", "purchase", "line", "net", "gross", "revenue")  # of money
NO_PIECES = tuple(word for word in OTHER if word not in ("no", "number", "count", "change"))
# Whose words beside those of taxes say of a price whether they are in it.
TAXES = ("tax", "taxes", "vat", "gst", "mwst", "ust", "steuer", "iva", "tva", "btw", "kdv", "moms", "dph")
WITH_OR_WITHOUT = (
    "incl", "including", "inclusive", "inc", "excl", "excluding", "exclusive", "exc", "ex", "with", "without",
    "before", "after", "net", "gross", "inkl", "exkl", "ohne", "mit", "zzgl", "con", "sin", "com", "sem", "senza",
    "met", "zonder", "hors", "avec", "sans", "brutto", "netto",
)
CENTS = ("cents", "cent", "pence", "minor")
# fmt: on
