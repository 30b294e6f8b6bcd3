"""Lines that belong to the site and not to an article.

Holds: `furniture_reason`. Pure function of one line. Not here: where such a line counts (only
at the edges of a page or between documents: `split.py`).
"""

from __future__ import annotations

import re
from typing import Final

LONGEST: Final = 120
"""Characters of a line beyond which it is taken for text."""

_HEADINGS: Final = (
    # "Category archives: …", "Tag: …", in the languages that blog software is translated into
    r"(?:(?:monthly |daily |yearly )?archives?(?: for| of|s?)|(?:category|tag|author|monthly|daily"
    r"|yearly)(?: archives?)?|posts? (?:tagged|categori[sz]ed|filed under))\s*[:：].+",
    r"(?:category|tag|author|monthly|daily|yearly) archives?\b.*",
    r"archives? (?:for|of) .+",
    r"(?:标签|標籤|分类|分類|作者|月度|按月|每月|日|年)?(?:归档|歸檔|彙整|存档|存檔|归类)\s*[:：]?.*",
    r"(?:标签|標籤|分类|分類|栏目|欄目|カテゴリー|タグ|月別|アーカイブ|카테고리|태그|글 보관함)"
    r"(?:アーカイブ|别?| 보관함)?\s*[:：].+",
    r"(?:schlagwort|kategorie|autor|monats?)-?(?:archive?)?\s*[:：].+",
    r"(?:archives?|catégorie|étiquette|mot-clé)(?: (?:de|du|des|par) .{1,40}?)?\s?[:：].+",
    r"(?:archivo|categoría|etiqueta|archivos)(?: (?:de|del|por) .{1,40}?)?\s*[:：].+",
    r"(?:arquivos?|categoria|etiqueta|arquivo)(?: (?:de|do|da|por) .{1,40}?)?\s*[:：].+",
    r"(?:archivio|categoria|tag)(?: (?:per|di|dei) .{1,40}?)?\s*[:：].+",
    r"(?:архивы?|рубрика|метка|категория|архів|позначка|категорія)(?: .{1,30}?)?\s*[:：].+",
    r"(?:archiwa?|kategoria|tag)(?: .{1,30}?)?\s*[:：].+",
    r"(?:arşiv|kategori|etiket|arsip|lưu trữ|thẻ|chuyên mục|kategorie|archief|categorie)"
    r"(?: .{1,30}?)?\s*[:：].+",
    r"(?:أرشيف|الأرشيف|وسم|تصنيف|التصنيف|بایگانی|برچسب|دسته|ארכיון|תגית|קטגוריה)"
    r"(?: .{1,30}?)?\s*[:：].+",
    r"(?:ป้ายกำกับ|หมวดหมู่|คลังเก็บ|श्रेणी|टैग|पुरालेख)\s*[:：].+",
)
_NAVIGATION: Final = (
    r"(?:read|learn|see|show|load|view) (?:more|all|full (?:article|story))[ .…»>→]*",
    r"continue reading.{0,80}",
    r"(?:next|previous|older|newer|first|last)(?: (?:page|posts?|entries|articles?|story))?[ »«>→←]*",
    r"(?:older posts|newer posts|back to top|home|sitemap|skip to content|share this|share on .{3,40})",
    r"(?:follow|subscribe|like|join)(?: to)? (?:us|our|me)\b.{0,60}",
    r"page \d+ of \d+|posts navigation|post navigation|leave a comment|no comments?(?: yet)?",
    r"(?:阅读|閱讀|查看|浏览|瀏覽|了解|加载|載入)?(?:更多|全文|全部)[ .…»>→]*",
    r"(?:上一页|下一页|上一頁|下一頁|上一篇|下一篇|首页|首頁|尾页|返回顶部|继续阅读|繼續閱讀)(?:\s*[:：].{0,80}|[ »>→]*)",
    r"(?:关注|關注)(?:我们|我們|微信公众号|公众号).{0,30}",
    r"(?:続きを読む|もっと見る|次のページ|前のページ|次へ|前へ|더 보기|더보기|계속 읽기|다음|이전|다음 페이지|이전 페이지)[ »>→]*",
    r"(?:weiterlesen|mehr lesen|mehr erfahren|nächste seite|vorherige seite|ältere beiträge|neuere beiträge)[ .…»>→]*",
    r"(?:lire (?:la suite|plus)|en savoir plus|page (?:suivante|précédente)|suivant|précédent)[ .…»>→]*",
    r"(?:leer más|seguir leyendo|continuar leyendo|página (?:siguiente|anterior)|siguiente|anterior)[ .…»>→]*",
    r"(?:leia mais|ler mais|continue lendo|saiba mais|próxima página|página anterior|próximo)[ .…»>→]*",
    r"(?:leggi (?:tutto|di più|anche)|continua a leggere|pagina (?:successiva|precedente))[ .…»>→]*",
    r"(?:читать (?:далее|дальше|полностью)|подробнее|следующая страница|предыдущая страница|далее|назад"
    r"|читати далі|детальніше)[ .…»>→]*",
    r"(?:czytaj (?:dalej|więcej)|następna strona|poprzednia strona|devamını oku|sonraki sayfa|önceki sayfa)[ .…»>→]*",
    r"(?:اقرأ المزيد|إقرأ المزيد|المزيد|الصفحة التالية|الصفحة السابقة|ادامه مطلب|بیشتر بخوانید)[ .…»>→]*",
    r"(?:อ่านต่อ|อ่านเพิ่มเติม|หน้าถัดไป|หน้าก่อนหน้า|और पढ़ें|अगला पृष्ठ|đọc thêm|xem thêm|trang sau|baca selengkapnya)"
    r"[ .…»>→]*",
    r"[«»<>→←|·•\s\d]{1,40}",
)
_RULES: Final = (
    ("archive_heading", re.compile("|".join(f"(?:{one})" for one in _HEADINGS), re.IGNORECASE)),
    ("navigation", re.compile("|".join(f"(?:{one})" for one in _NAVIGATION), re.IGNORECASE)),
)


def furniture_reason(line: str) -> str | None:
    """Return why a line is furniture, or None when it may be text."""
    line = line.strip()
    if len(line) > LONGEST:
        return None
    return next((name for name, rule in _RULES if rule.fullmatch(line)), None)
