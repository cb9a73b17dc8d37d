"""Prefectures by their two-digit code (JIS X 0401), which is how a card names a region."""

from flask_babel import gettext as _

from node.i18n import later

NAMES = {
    "01": later("Hokkaido"),
    "02": later("Aomori"),
    "03": later("Iwate"),
    "04": later("Miyagi"),
    "05": later("Akita"),
    "06": later("Yamagata"),
    "07": later("Fukushima"),
    "08": later("Ibaraki"),
    "09": later("Tochigi"),
    "10": later("Gunma"),
    "11": later("Saitama"),
    "12": later("Chiba"),
    "13": later("Tokyo"),
    "14": later("Kanagawa"),
    "15": later("Niigata"),
    "16": later("Toyama"),
    "17": later("Ishikawa"),
    "18": later("Fukui"),
    "19": later("Yamanashi"),
    "20": later("Nagano"),
    "21": later("Gifu"),
    "22": later("Shizuoka"),
    "23": later("Aichi"),
    "24": later("Mie"),
    "25": later("Shiga"),
    "26": later("Kyoto"),
    "27": later("Osaka"),
    "28": later("Hyogo"),
    "29": later("Nara"),
    "30": later("Wakayama"),
    "31": later("Tottori"),
    "32": later("Shimane"),
    "33": later("Okayama"),
    "34": later("Hiroshima"),
    "35": later("Yamaguchi"),
    "36": later("Tokushima"),
    "37": later("Kagawa"),
    "38": later("Ehime"),
    "39": later("Kochi"),
    "40": later("Fukuoka"),
    "41": later("Saga"),
    "42": later("Nagasaki"),
    "43": later("Kumamoto"),
    "44": later("Oita"),
    "45": later("Miyazaki"),
    "46": later("Kagoshima"),
    "47": later("Okinawa"),
}


def prefecture(code: str) -> str:
    """The prefecture's name; nothing when the person chose not to say."""
    return str(_(NAMES[code])) if code in NAMES else ""
