"""Headers: the words that recruiting systems write above their columns.  DOMAIN 6.5.

Spaces, signs in full width and brackets do not matter: see `columns.header_key`.
"""

# One field a paragraph: its name, then the headers that mean it.
SYNONYMS = """
ats_id: 応募者ID 候補者ID 応募No 応募番号 応募ID エントリーNo エントリーID エントリー番号
    管理番号 管理No ID applicant_id candidate_id application_id
name: 氏名 名前 候補者名 お名前 応募者名 応募者氏名 候補者氏名 氏名(漢字) 漢字氏名 フルネーム
    name full_name candidate_name
family: 姓 苗字 名字 氏名(姓) 姓(漢字) 漢字姓 氏 last_name family_name surname
given: 名 氏名(名) 名(漢字) 漢字名 first_name given_name
kana: フリガナ ふりがな カナ かな 氏名(カナ) 氏名カナ カナ氏名 氏名(フリガナ) 氏名フリガナ
    氏名(かな) お名前(カナ) ヨミガナ 読み仮名 読みがな name_kana kana
family_kana: セイ せい 姓(カナ) 姓カナ 姓(フリガナ) 姓フリガナ フリガナ(姓) カナ姓 氏名カナ(姓)
    last_name_kana family_name_kana
given_kana: メイ めい 名(カナ) 名カナ 名(フリガナ) 名フリガナ フリガナ(名) カナ名 氏名カナ(名)
    first_name_kana given_name_kana
email: メールアドレス メール E-mail Eメール PCメール PCメールアドレス Email1 メールアドレス1
    email e_mail mail 連絡先メールアドレス email_address mail_address
phone: 電話番号 携帯電話 携帯電話番号 携帯番号 TEL 連絡先 連絡先電話番号 電話 電話番号1 携帯
    phone phone_number mobile
postal: 郵便番号 〒 postal_code zip zip_code
prefecture: 都道府県 現住所(都道府県) 居住地 居住都道府県 prefecture
address: 住所 現住所 住所1 ご住所 address
job: 求人名 応募職種 応募求人 ポジション 募集職種 求人 職種 応募ポジション 求人タイトル
    応募求人名 job job_title position opening
source: 応募経路 媒体 チャネル 応募媒体 流入経路 経路 source channel
stage: 選考ステップ 選考段階 選考ステージ ステップ 選考フェーズ フェーズ 現在の選考ステップ
    stage step
status: 選考状況 ステータス 合否 結果 選考結果 選考ステータス 合否結果 進捗 status result
applied_on: 応募日 応募日時 エントリー日 エントリー日時 応募年月日 applied_at applied_on
    applied_date
rejected_on: 不合格日 選考結果日 不採用日 お見送り日 見送り日 不合格日時 結果日 選考終了日
    合否決定日 rejected_at rejected_on rejected_date
updated_on: 最終更新日 最終更新日時 更新日 更新日時 updated_at
applicant_type: 応募区分 採用区分 新卒中途区分 新卒・中途 雇用区分 採用種別 応募者区分
    applicant_type
school: 学校名 大学 大学名 学校 出身校 最終学歴(学校名) school university
faculty: 学部 学部名 研究科 学部・研究科 faculty
department: 学科 学科名 専攻 学科・専攻 department major
graduation: 卒業予定年月 卒業年月 卒業予定 卒業年度 卒業予定年度 卒業予定年 卒年 graduation
third_party: 第三者提供 第三者提供同意 第三者提供の同意 第三者提供可否 第三者提供の可否
    個人情報の第三者提供 third_party_consent
"""

# Not to be known, not to be kept, not to be passed on (DOMAIN 3.7).
FORBIDDEN = """
性別 国籍 家族 家族構成 扶養 扶養家族 扶養人数 配偶者 配偶者の有無 婚姻 本籍 本籍地 出身地
出生地 宗教 信条 思想 支持政党 尊敬する人物 愛読書 購読新聞 労働組合 顔写真 写真 健康状態 既往歴
障害 障がい 障害者手帳 血液型 身長 体重 不採用理由 不合格理由 見送り理由 お見送り理由 辞退理由
評価 総合評価 評価点 評価コメント 面接評価 面接官コメント 面接コメント 選考コメント コメント
スコア 点数 備考 メモ 社内メモ 特記事項 gender sex nationality religion photo rejection_reason
evaluation score rating comment comments memo note notes marital_status
"""

# Looked at for one question only, "is this person under 18?", and never kept (DOMAIN 2.7).
AGE = "生年月日 年齢 誕生日 birthday birth_date date_of_birth age"

# What our own error file adds; it is no news when it comes back.
OWN = "取込エラー row_error"
