"""Occupations: the fields of work that a person may name, and a card may carry.

厚生労働省編職業分類, 5th revision: its fifteen main groups, with an English name for the pages.
"""

from node.i18n import later

OCCUPATIONS = {
    "管理的職業": later("Management"),
    "研究・技術の職業": later("Research and engineering"),
    "法務・経営・文化芸術等の専門的職業": later("Law, business, culture and arts"),
    "医療・看護・保健の職業": later("Medicine, nursing and health"),
    "保育・教育の職業": later("Childcare and education"),
    "事務的職業": later("Office work"),
    "販売・営業の職業": later("Retail and sales"),
    "福祉・介護の職業": later("Welfare and care"),
    "サービスの職業": later("Services"),
    "警備・保安の職業": later("Security"),
    "農林漁業の職業": later("Agriculture, forestry and fishery"),
    "製造・修理・塗装・製図等の職業": later("Manufacturing, repair and drafting"),
    "配送・輸送・機械運転の職業": later("Delivery, transport and machine operation"),
    "建設・土木・電気工事の職業": later("Construction and electrical work"),
    "運搬・清掃・包装・選別等の職業": later("Carrying, cleaning, packing and sorting"),
}
