"""The texts a new node begins with: kind, plain, and true.  DOMAIN 5.2."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Default:
    """A template as it is before anybody has changed it."""

    name: str
    language: str
    subject: str
    body: str


JAPANESE = Default(
    name="選考結果のご連絡（専用リンクつき）",
    language="ja",
    subject="【{{企業名}}】{{求人名}} 選考結果のご連絡",
    body="""\
{{候補者名}} 様

お世話になっております。
{{企業名}} {{部署}}の{{担当者名}}です。

このたびは{{求人名}}にご応募いただき、{{選考ステップ}}までお時間をいただきましたこと、\
心より御礼申し上げます。
社内で慎重に検討いたしましたが、今回はご希望に添えない結果となりました。
ご期待に添えず、申し訳ございません。

なお、{{姓}}様のご経験を活かせる機会が他社にあるかもしれないと考え、\
任意でご利用いただけるご案内を用意いたしました。
{{専用リンク}}
（{{リンク有効期限}}まで有効）
・ご利用は任意で、費用はかかりません。
・ご利用の有無が、当社の今後の選考に影響することはありません。
・ページを開いただけで、情報が他社に渡ることはありません。\
送る相手と内容は、ご自身でお選びいただけます。
・ご不要の場合は、このままで結構です。

お預かりした応募書類は、当社の定めに従い{{保管期限}}までに廃棄いたします。
ご不明な点がございましたら、{{電話}}までお気軽にお問い合わせください。

貴重なお時間を割いてご応募いただき、誠にありがとうございました。
""",
)

ENGLISH = Default(
    name="Result of the selection (with private link)",
    language="en",
    subject="Result of your application: {{job}} ({{company}})",
    body="""\
Dear {{name}},

Thank you for applying for {{job}} and for the time you gave us up to the {{stage}}.
After careful discussion we will not be moving forward this time. We are sorry to \
disappoint you, and we are grateful for your interest in {{company}}.

Other companies may be looking for what you bring. If you wish, you can use this \
private page to send your profile to partner companies that you choose yourself:
{{link}}
(open until {{expiry}})
- It is optional and free of charge.
- It has no effect on any future application with us.
- Nothing is shared by opening the page; you choose what is sent, and to whom.
- If you do not need it, there is nothing you have to do.

We will destroy your application documents by {{kept_until}}, as our rules require.
If you have any question, please call us at {{phone}}.

With thanks for your time,
{{sender}}
{{department}}, {{company}}
""",
)

EASY_JAPANESE = Default(
    name="選考結果のお知らせ（やさしい日本語・専用リンクつき）",
    language="ja-easy",
    subject="【{{企業名}}】{{求人名}} 選考（せんこう）の結果のお知らせ",
    body="""\
{{候補者名}} さん

{{企業名}} {{部署}}の{{担当者名}}です。

{{求人名}}の仕事に応募（おうぼ）してくれて、ありがとうございました。
{{選考ステップ}}まで来てくれて、ありがとうございました。
会社の中で、よく考えました。
今回は、いっしょに働くことができません。
良い返事ができなくて、すみません。

{{姓}}さんの経験（けいけん）が必要な会社が、ほかにあるかもしれません。
使ってみたいときは、次のページを見てください。
{{専用リンク}}
（{{リンク有効期限}}まで使うことができます）
・使うか使わないかは、あなたが決めます。お金はかかりません。
・使っても使わなくても、私たちの会社の次の選考には関係がありません。
・ページを見るだけでは、何も送りません。\
送る会社と送るものは、あなたが選びます。
・いらないときは、何もしなくていいです。

あなたの書類（しょるい）は、{{保管期限}}までに捨てます。
わからないことは、電話で聞いてください。
電話：{{電話}}

時間をくれて、ありがとうございました。
""",
)

# For people who never applied to us: another company passed their profile on.
JAPANESE_HANDED_ON = Default(
    name="選考結果のご連絡（紹介を受けた方へ・専用リンクつき）",
    language="ja",
    subject="【{{企業名}}】選考結果のご連絡",
    body="""\
{{候補者名}} 様

お世話になっております。
{{企業名}} {{部署}}の{{担当者名}}です。

このたびは、ご同意に基づき他社からご紹介いただき、当社の選考（{{求人名}}）に\
{{選考ステップ}}までお時間をいただきましたこと、心より御礼申し上げます。
社内で慎重に検討いたしましたが、今回はご希望に添えない結果となりました。
ご期待に添えず、申し訳ございません。

なお、{{姓}}様のご経験を活かせる機会がほかの会社にもあるかもしれないと考え、\
任意でご利用いただけるご案内を用意いたしました。
{{専用リンク}}
（{{リンク有効期限}}まで有効）
・ご利用は任意で、費用はかかりません。
・ご利用の有無が、当社の今後の選考に影響することはありません。
・ページを開いただけで、情報が他社に渡ることはありません。\
送る相手と内容は、ご自身でお選びいただけます。
・ご不要の場合は、このままで結構です。

お預かりした情報は、当社の定めに従い{{保管期限}}までに削除いたします。
ご不明な点がございましたら、{{電話}}までお気軽にお問い合わせください。

貴重なお時間を割いていただき、誠にありがとうございました。
""",
)

ENGLISH_HANDED_ON = Default(
    name="Result of the selection (with private link, passed on)",
    language="en",
    subject="Result of our selection ({{company}})",
    body="""\
Dear {{name}},

Another company passed your profile on to us with your consent. Thank you for the time \
you gave us in our selection ({{job}}), up to the {{stage}}.
After careful discussion we will not be moving forward this time. We are sorry to \
disappoint you.

Other companies may be looking for what you bring. If you wish, you can use this \
private page to send your profile to partner companies that you choose yourself:
{{link}}
(open until {{expiry}})
- It is optional and free of charge.
- It has no effect on any future application with us.
- Nothing is shared by opening the page; you choose what is sent, and to whom.
- If you do not need it, there is nothing you have to do.

We will erase what we have received by {{kept_until}}, as our rules require.
If you have any question, please call us at {{phone}}.

With thanks for your time,
{{sender}}
{{department}}, {{company}}
""",
)

DEFAULTS = (JAPANESE, EASY_JAPANESE, ENGLISH, JAPANESE_HANDED_ON, ENGLISH_HANDED_ON)
