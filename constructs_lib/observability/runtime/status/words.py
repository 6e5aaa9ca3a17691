"""The fixed sentences of the page, in English and Japanese. Standard library only.

A machine says nothing else: no reason of an alarm, no name of a resource, no account. ``{…}`` is filled with text that
is already safe.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from .shown import Phase
from .values import Language, Line, State


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """Everything that the page says by itself in one language (lesson T5).

    Args:
        own_name: what the language calls itself.
        headline: of all components together.
        states: of one component.
        machine: a machine's line in an entry.
        person: a person's line that says what components are.
        resolved: a person's line that ends an entry.
        phases: where an entry is.
        parts: headings and labels, by their keys.
        separator: between names in a row.
    """

    own_name: str
    headline: Mapping[State, str]
    states: Mapping[State, str]
    machine: Mapping[Line, str]
    person: Mapping[Line, str]
    resolved: str
    phases: Mapping[Phase, str]
    parts: Mapping[str, str]
    separator: str


ENGLISH: Final = Words(
    own_name="English",
    headline={
        "operational": "Everything is operational",
        "maintenance": "Maintenance is under way",
        "degraded": "Some of the service is degraded",
        "outage": "There is an outage",
    },
    states={
        "operational": "Operational",
        "maintenance": "Maintenance",
        "degraded": "Degraded",
        "outage": "Outage",
    },
    machine={
        "operational": "Our monitoring sees {component} operational again.",
        "degraded": "Our monitoring sees {component} degraded: it may be slow, or fail for some.",
        "outage": "Our monitoring sees an outage of {component}.",
    },
    person={
        "operational": "Our staff set this to operational.",
        "degraded": "Our staff set this to degraded.",
        "outage": "Our staff set this to outage.",
    },
    resolved="This is over.",
    phases={
        "open": "Ongoing",
        "resolved": "Resolved",
        "planned": "Planned",
        "under-way": "Under way",
        "over": "Completed",
        "called-off": "Called off",
    },
    parts={
        "languages": "Languages",
        "as-of": "As of {time}.",
        "reload": "Reload",
        "fresh": "This page is made anew every minute. If the time above is more than a few minutes ago, "
        "the page itself is late.",
        "late": "Automatic reports are late: the last one came at {time}. What follows may have changed since.",
        "unknown": "Not known",
        "unknown-headline": "It is not known whether everything is operational",
        "open-headline": "All components are operational, and an incident is still open",
        "never": "Automatic reports have not begun yet. What follows may not be how it is.",
        "components": "Components",
        "no-components": "No components are shown here yet.",
        "since": "Since {time}.",
        "by-person": "Set by our staff at {time}.",
        "also-degraded": "Our monitoring sees it degraded during this maintenance.",
        "also-outage": "Our monitoring sees an outage of it during this maintenance.",
        "current": "What is going on",
        "planned": "Planned maintenance",
        "history": "The last 90 days",
        "no-history": "Nothing was reported in this time.",
        "incident": "Incident: {components}",
        "maintenance": "Maintenance: {components}",
        "from": "Since {start}",
        "from-to": "{start} to {end} ({length})",
        "machine": "Automatic report",
        "person": "Our staff",
        "feed": "The same as JSON",
        "about": "Automatic reports follow from our monitoring; what our staff write is never changed by it.",
    },
    separator=", ",
)

JAPANESE: Final = Words(
    own_name="日本語",
    headline={
        "operational": "すべて正常に稼働しています",
        "maintenance": "メンテナンスを実施しています",
        "degraded": "一部のサービスが不安定になっています",
        "outage": "ご利用いただけないサービスがあります",
    },
    states={
        "operational": "正常",
        "maintenance": "メンテナンス中",
        "degraded": "不安定",
        "outage": "利用不可",
    },
    machine={
        "operational": "自動監視で{component}の回復を確認しました。",
        "degraded": "自動監視で{component}の不調を検知しました。"
        "つながりにくい、または一部の操作に失敗する場合があります。",
        "outage": "自動監視で{component}の障害を検知しました。ご利用いただけない状態です。",
    },
    person={
        "operational": "担当者が状態を「正常」に設定しました。",
        "degraded": "担当者が状態を「不安定」に設定しました。",
        "outage": "担当者が状態を「利用不可」に設定しました。",
    },
    resolved="終了しました。",
    phases={
        "open": "継続中",
        "resolved": "解決済み",
        "planned": "予定",
        "under-way": "実施中",
        "over": "終了",
        "called-off": "中止",
    },
    parts={
        "languages": "言語",
        "as-of": "{time}現在（{utc} UTC）",  # noqa: RUF001  (Japanese brackets)
        "reload": "再読み込み",
        "fresh": "このページは毎分更新されます。上の時刻から数分以上たっている場合は、ページの更新が遅れています。",
        "late": "自動監視からの報告が遅れています。最後の報告は{time}です。以下の内容は最新でない可能性があります。",
        "unknown": "不明",
        "unknown-headline": "現在の状況を確認できていません",
        "open-headline": "各サービスは正常に稼働していますが、対応中の障害情報があります",
        "never": "自動監視からの報告がまだ届いていません。以下の内容は実際の状況と異なる可能性があります。",
        "components": "サービスごとの状況",
        "no-components": "表示できるサービスはまだありません。",
        "since": "{time}から",
        "by-person": "{time}に担当者が設定",
        "also-degraded": "このメンテナンス中に、自動監視で不調を検知しています。",
        "also-outage": "このメンテナンス中に、自動監視で障害を検知しています。",
        "current": "現在の状況",
        "planned": "メンテナンスの予定",
        "history": "過去90日間の履歴",
        "no-history": "この期間のお知らせはありません。",
        "incident": "障害情報：{components}",  # noqa: RUF001  (a Japanese colon)
        "maintenance": "メンテナンス：{components}",  # noqa: RUF001
        "from": "{start}から",
        "from-to": "{start} から {end} まで（{length}）",  # noqa: RUF001
        "machine": "自動監視",
        "person": "担当者",
        "feed": "JSON形式で見る",
        "about": "自動の報告は監視の結果によるものです。担当者の書き込みが自動で変更されることはありません。",
    },
    separator="、",
)

WORDS: Final[Mapping[Language, Words]] = {"en": ENGLISH, "ja": JAPANESE}
