"""Traditional Chinese names of columns and words of types in the simplified characters that lists are kept in."""

from __future__ import annotations

_TRADITIONAL = (
    "會員號編碼數單價額銷購買賣訂時間類別產貨顧戶總計點擊瀏覽評級門稱標題發運費稅優實帳賬紀錄項據庫區齡狀態關鍵動為車願話線圖種"
    "調還換進廣顯詳細結論讚轉註冊聯絡機訪問獲籌預約贈禮課應報讀寫開務廠場廳館際國語電郵處體歲當師樣條"
)
_SIMPLIFIED = (
    "会员号编码数单价额销购买卖订时间类别产货顾户总计点击浏览评级门称标题发运费税优实账账纪录项据库区龄状态关键动为车愿话线图种"
    "调还换进广显详细结论赞转注册联络机访问获筹预约赠礼课应报读写开务厂场厅馆际国语电邮处体岁当师样条"
)
_TABLE = str.maketrans(_TRADITIONAL, _SIMPLIFIED)


def simplified(text: str) -> str:
    """The text with simplified characters."""
    return text if text.isascii() else text.translate(_TABLE)
