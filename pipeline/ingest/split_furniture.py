"""Lines that belong to the site and not to an article.

Holds: `furniture_reason`. Pure function of one line. Not here: where such a line counts (only
at the edges of a page or between documents: `split.py`).

The phrases are those that blog software and news sites print in the languages they are translated
into. A line counts only if the phrase is all that stands there, an archive's name apart: what is
not known for sure stays with the article.
"""

from __future__ import annotations

from typing import Final

LONGEST: Final = 120
"""Characters of a line beyond which it is taken for text."""

_ARCHIVES: Final = (
    "archive|archives|category archives|category archive|tag archives|tag archive|"
    "author archives|monthly archives|daily archives|yearly archives|posts tagged|"
    "posts in category|filed under|标签归档|标签存档|标签汇总|分类归档|分类目录归档|分类存档|"
    "月度归档|按月归档|年度归档|每日归档|作者归档|归档|存档|標籤彙整|分類彙整|標籤歸檔|"
    "分類歸檔|每月彙整|彙整|タグアーカイブ|タグ別アーカイブ|カテゴリーアーカイブ|カテゴリー別アーカイブ|月別アーカイブ|アーカイブ|"
    "태그 보관물|카테고리 보관물|월간 보관물|보관물|글 보관함|schlagwort-archive|"
    "schlagwort-archiv|kategorie-archive|kategorie-archiv|monatsarchive|monatsarchiv|archiv|"
    "archives de catégorie|archives par mot-clé|archives mensuelles|archives du mot-clé|"
    "archivo de la categoría|archivo de la etiqueta|archivos de la categoría|"
    "archivos de la etiqueta|archivo mensual|archivo|archivos|arquivo da categoria|"
    "arquivo da tag|arquivo da etiqueta|arquivos da etiqueta|arquivos da categoria|"
    "arquivos da tag|arquivo mensal|archivi categoria|"
    "archivi tag|archivio del tag|archivio della categoria|archivio mensile|archivio|"
    "архив рубрики|архив метки|архив за месяц|архив|"
    "архивы|архів категорії|архів позначки|архів|archiwum kategorii|archiwum tagów|"
    "archiwum tagu|archiwum|"
    "kategori arşivi|etiket arşivi|arşiv|categoriearchief|tagarchief|archief|arsip kategori|"
    "arsip tag|arsip|lưu trữ danh mục|lưu trữ thẻ|lưu trữ|kategoriarkiv|etikettarkiv|arkiv|"
    "أرشيف التصنيف|أرشيف الوسم|الأرشيف|أرشيف|بایگانی دسته|بایگانی برچسب|بایگانی|"
    "ארכיון קטגוריה|ארכיון תגית|ארכיון|คลังเก็บหมวดหมู่|คลังเก็บป้ายกำกับ|คลังเก็บ|"
    "श्रेणी पुरालेख|टैग पुरालेख|पुरालेख"
)
_LABELS: Final = (
    "tag|tags|category|categories|标签|分类|栏目|標籤|分類|欄目|タグ|カテゴリー|태그|"
    "카테고리|schlagwort|kategorie|étiquette|mot-clé|catégorie|etiqueta|categoría|categoria|"
    "рубрика|метка|категория|позначка|категорія|kategoria|kategori|etiket|categorie|thẻ|"
    "chuyên mục|وسم|تصنيف|برچسب|دسته|תגית|קטגוריה|ป้ายกำกับ|หมวดหมู่|श्रेणी|टैग"
)
_POSTS: Final = (
    "ältere beiträge|neuere beiträge|articles plus anciens|articles plus récents|"
    "articles précédents|articles suivants|entradas antiguas|entradas más antiguas|"
    "entradas anteriores|entradas recientes|entradas más recientes|entradas siguientes|"
    "artículos antiguos|posts antigos|posts mais antigos|posts recentes|posts mais recentes|"
    "artigos mais antigos|artigos mais recentes|articoli meno recenti|articoli più recenti|"
    "articoli precedenti|articoli successivi|предыдущие записи|следующие записи|"
    "старые записи|новые записи|більш ранні записи|новіші записи|старіші записи|"
    "starsze wpisy|nowsze wpisy|eski yazılar|yeni yazılar|daha eski yazılar|"
    "daha yeni yazılar|oudere berichten|nieuwere berichten|äldre inlägg|nyare inlägg|"
    "eldre innlegg|nyere innlegg|ældre indlæg|nyere indlæg|vanhemmat artikkelit|"
    "uudemmat artikkelit|starší příspěvky|novější příspěvky|staršie články|novšie články|"
    "régebbi bejegyzések|újabb bejegyzések|articole mai vechi|articole mai noi|"
    "pos-pos lebih lama|pos-pos lama|pos-pos terbaru|pos lama|kiriman lama|tulisan lama|"
    "bài cũ hơn|bài mới hơn|các bài cũ hơn|các bài mới hơn|παλαιότερα άρθρα|νεότερα άρθρα|"
    "по-стари публикации|по-нови публикации|старији чланци|новији чланци|starije objave|"
    "novije objave|entrades anteriors|entrades més recents|"
    "უფრო ძველი პოსტები|უფრო ახალი პოსტები|المقالات الأقدم|المقالات الأحدث|"
    "المقالات السابقة|المقالات التالية|تدوينات أقدم|تدوينات أحدث|نوشته‌های کهنه‌تر|"
    "نوشته‌های تازه‌تر|نوشته‌های قدیمی‌تر|نوشته‌های پیشین|פוסטים ישנים יותר|פוסטים ישנים|"
    "פוסטים חדשים יותר|פוסטים חדשים|เรื่องเก่ากว่า|เรื่องใหม่กว่า|पुराने पोस्ट|नए पोस्ट|"
    "पुरानी पोस्ट|नई पोस्ट|পুরনো পোস্ট|নতুন পোস্ট|先前文章|早期文章|较早文章|较旧的文章|"
    "较新文章|較舊的文章|較新的文章|過去の投稿|以前の投稿|新しい投稿|이전 글|다음 글|"
    "이전글|다음글|이전 글들|다음 글들|"
    "vorheriger beitrag|nächster beitrag|article précédent|article suivant|entrada anterior|"
    "entrada siguiente|post anterior|próximo post|artigo anterior|artigo seguinte|"
    "articolo precedente|articolo successivo|предыдущая запись|следующая запись|"
    "предыдущая статья|следующая статья|попередній запис|наступний запис|poprzedni wpis|"
    "następny wpis|önceki yazı|sonraki yazı|vorig bericht|vorige bericht|volgend bericht|"
    "volgende bericht|föregående inlägg|nästa inlägg|forrige innlegg|neste innlegg|"
    "forrige indlæg|næste indlæg|edellinen artikkeli|seuraava artikkeli|"
    "předchozí příspěvek|následující příspěvek|další příspěvek|előző bejegyzés|"
    "következő bejegyzés|articolul anterior|articolul următor|pos sebelumnya|"
    "pos berikutnya|tulisan sebelumnya|tulisan berikutnya|bài trước|bài sau|"
    "προηγούμενο άρθρο|επόμενο άρθρο|предишна публикация|следваща публикация|"
    "المقال السابق|المقال التالي|نوشته قبلی|نوشته بعدی|הפוסט הקודם|הפוסט הבא|"
    "เรื่องก่อนหน้า|เรื่องต่อไป|上一篇文章|下一篇文章|前の投稿|次の投稿|前の記事|次の記事"
)
_COMMENTS: Final = (
    "leave a reply|comments are closed|comments off|发表评论|发表回复|暂无评论|评论已关闭|"
    "發表迴響|發佈留言|迴響已關閉|コメントを残す|コメントする|コメントは停止中です|"
    "댓글 남기기|댓글 없음|댓글은 닫혔습니다|schreibe einen kommentar|"
    "hinterlasse einen kommentar|kommentar hinterlassen|keine kommentare|"
    "kommentare sind geschlossen|laisser un commentaire|aucun commentaire|"
    "pas de commentaire|les commentaires sont fermés|deja un comentario|"
    "dejar un comentario|deja una respuesta|no hay comentarios|sin comentarios|"
    "los comentarios están cerrados|deixe um comentário|deixe uma resposta|"
    "nenhum comentário|sem comentários|os comentários estão fechados|"
    "os comentários estão encerrados|lascia un commento|nessun commento|"
    "i commenti sono chiusi|добавить комментарий|оставить комментарий|"
    "оставьте комментарий|комментариев нет|нет комментариев|обсуждение закрыто|"
    "комментарии закрыты|залишити коментар|додати коментар|коментарів немає|"
    "немає коментарів|dodaj komentarz|brak komentarzy|możliwość komentowania została wyłączona|"
    "możliwość komentowania jest wyłączona|bir yorum yazın|bir cevap yazın|yorum yapın|"
    "yorum yok|yorumlar kapalı|geef een reactie|een reactie plaatsen|geen reacties|"
    "reacties zijn gesloten|lämna en kommentar|lämna ett svar|skriv en kommentar|"
    "inga kommentarer|ingen kommentarer|legg igjen en kommentar|legg igjen et svar|"
    "skriv et svar|jätä kommentti|vastaa|ei kommentteja|napsat komentář|žádné komentáře|"
    "komentáře nejsou povoleny|pridaj komentár|žiadne komentáre|hozzászólás a bejegyzéshez|"
    "nincs hozzászólás|lasă un comentariu|lasă un răspuns|niciun comentariu|"
    "tinggalkan balasan|tinggalkan komentar|tidak ada komentar|komentar ditutup|"
    "để lại bình luận|để lại phản hồi|không có bình luận|không có phản hồi|σχολιάστε|"
    "αφήστε μια απάντηση|τα σχόλια είναι κλειστά|вашият коментар|напишете коментар|"
    "няма коментари|اترك تعليقاً|اترك تعليقا|أضف تعليق|لا توجد تعليقات|التعليقات مغلقة|"
    "دیدگاهتان را بنویسید|نوشتن دیدگاه|بدون دیدگاه|دیدگاه‌ها بسته شده‌اند|כתיבת תגובה|"
    "השארת תגובה|אין תגובות|סגור לתגובות|ใส่ความเห็น|ให้ความเห็น|ไม่มีความเห็น|"
    "ความเห็นถูกปิด|टिप्पणी करे|टिप्पणी करें|एक टिप्पणी छोड़ें|মন্তব্য দিন|"
    "মন্তব্য করুন|কোন মন্তব্য নেই"
)
_NAVIGATION: Final = (
    "read more|learn more|see more|view more|show more|load more|more|read all|view all|"
    "see all|read full article|read the full story|full story|continue reading|next page|"
    "previous page|next|previous|next post|previous post|next article|previous article|"
    "older posts|newer posts|older entries|newer entries|back to top|home|sitemap|"
    "skip to content|share this|share|post navigation|posts navigation|leave a comment|"
    "no comments|no comments yet|follow us|subscribe|sign up|阅读更多|阅读全文|查看更多|"
    "查看全文|查看全部|了解更多|更多|更多内容|加载更多|展开全文|点击展开全文|上一页|下一页|"
    "上一篇|下一篇|首页|尾页|返回顶部|返回首页|继续阅读|关注我们|閱讀更多|閱讀全文|查看更多|"
    "更多|上一頁|下一頁|繼續閱讀|關注我們|続きを読む|もっと見る|次のページ|前のページ|次へ|"
    "前へ|더 보기|더보기|계속 읽기|다음 페이지|이전 페이지|weiterlesen|mehr lesen|"
    "mehr erfahren|nächste seite|vorherige seite|ältere beiträge|neuere beiträge|"
    "folgen sie uns|lire la suite|lire plus|en savoir plus|page suivante|page précédente|"
    "suivez-nous|leer más|seguir leyendo|continuar leyendo|página siguiente|página anterior|"
    "síguenos|leia mais|ler mais|continue lendo|saiba mais|próxima página|siga-nos|"
    "leggi tutto|leggi di più|continua a leggere|pagina successiva|pagina precedente|seguici|"
    "читать далее|читать дальше|читать полностью|подробнее|следующая страница|"
    "предыдущая страница|подписывайтесь|читати далі|детальніше|czytaj dalej|czytaj więcej|"
    "następna strona|poprzednia strona|devamını oku|sonraki sayfa|önceki sayfa|lees meer|"
    "lees verder|volgende pagina|läs mer|les mer|læs mere|lue lisää|číst dále|tovább|"
    "citește mai mult|baca selengkapnya|selengkapnya|đọc thêm|xem thêm|trang sau|اقرأ المزيد|"
    "إقرأ المزيد|المزيد|الصفحة التالية|الصفحة السابقة|تابعنا|ادامه مطلب|بیشتر بخوانید|"
    "קרא עוד|המשך לקרוא|อ่านต่อ|อ่านเพิ่มเติม|หน้าถัดไป|หน้าก่อนหน้า|और पढ़ें|अगला पृष्ठ|"
    "文章导航|文章導覽|投稿ナビゲーション|글 탐색|글 내비게이션|beitragsnavigation|"
    "beitrags-navigation|navigation des articles|navigation de l’article|"
    "navigation de l'article|navegación de entradas|navegação de artigos|"
    "navegação de posts|navegação de post|navigazione articoli|navigazione articolo|"
    "навигация по записям|навігація записів|nawigacja wpisu|yazı gezinmesi|yazı dolaşımı|"
    "berichtnavigatie|inläggsnavigering|innleggsnavigasjon|indlægsnavigation|"
    "artikkelien selaus|navigace pro příspěvek|bejegyzés navigáció|navigare în articole|"
    "navigasi pos|điều hướng bài viết|πλοήγηση άρθρων|ניווט בפוסטים|แนะแนวเรื่อง|"
    "تصفّح المقالات|تصفح المقالات|راهبری نوشته|"
    "read also|see also|related posts|related articles|you may also like|相关阅读|相关文章|"
    "相关推荐|推荐阅读|相關文章|延伸閱讀|関連記事|관련 기사|관련기사|lesen sie auch|lire aussi|"
    "à lire aussi|lea también|leer también|te puede interesar|leia também|veja também|"
    "leggi anche|читайте также|читайте також|zobacz też|zobacz także|czytaj też|"
    "czytaj także|ayrıca okuyun|lees ook|läs också|les også|læs også|lue myös|čtěte také|"
    "olvassa el ezt is|citește și|baca juga|xem thêm tại|اقرأ أيضا|اقرأ أيضًا|"
    "مواضيع ذات صلة|مطالب مرتبط|διαβάστε επίσης|קראו גם"
)
_PROMPTS: Final = (
    "follow us on |follow us at |follow me on |like us on |join us on |subscribe to our |"
    "sign up for our |continue reading |posted in |上一篇：|上一篇:|下一篇：|下一篇:|"
    "关注我们|关注微信公众号|關注我們|suivez-nous sur |folgen sie uns auf |síguenos en |"
    "siga-nos |seguici su |подписывайтесь на |تابعونا على |bizi takip edin|"
    "obserwuj nas na |śledź nas na |volg ons op |följ oss på |följ oss i |seuraa meitä |"
    "sledujte nás na |kövess minket |urmărește-ne pe |urmăriți-ne pe |ikuti kami di |"
    "theo dõi chúng tôi |підписуйтесь на |підписуйтеся на |ما را در اینستاگرام |"
    "this entry was posted |this post was posted |bookmark the permalink|"
    "dieser beitrag wurde unter |dieser eintrag wurde veröffentlicht |"
    "cette entrée a été publiée |ce contenu a été publié dans |esta entrada fue publicada |"
    "esta entrada se publicó en |esta entrada foi publicada |este artigo foi publicado em |"
    "questa voce è stata pubblicata |questo articolo è stato pubblicato in |"
    "запись опубликована в рубрике |запис було опубліковано |"
    "ten wpis został opublikowany |dit bericht werd geplaatst |dit bericht is geplaatst |"
    "detta inlägg publicerades |příspěvek byl publikován |acest articol a fost publicat |"
    "pos ini dipublikasikan |bài này đã được đăng |此条目发表在|本篇發表於|本条目发布于"
)
_SHARES: Final = (
    "share on|share to|share via|tweet on|compartir en|compartir por|compartilhar no|"
    "compartilhe no|partager sur|condividi su|teilen auf|teilen über|поделиться в|"
    "поділитися в|udostępnij na|deel op|delen op|dela på|del på|sdílet na|distribuie pe|"
    "bagikan ke|bagikan di|chia sẻ lên|شارك على|مشاركة على|分享到|分享至|转发到"
)
"""Each stands before the name of a network."""
_NETWORKS: Final = (
    "facebook|twitter|x|whatsapp|telegram|linkedin|pinterest|instagram|reddit|tumblr|vk|"
    "вконтакте|вк|одноклассники|viber|line|email|e-mail|微信|微信朋友圈|朋友圈|微博|"
    "新浪微博|qq空间|qq"
)
_MARKS: Final = " \t.…»«>›<‹→←↓↑|·•–—-[]()（）【】:：!！"


def _phrases(text: str) -> frozenset[str]:
    return frozenset(part.strip().casefold() for part in text.split("|"))


_ARCHIVE_NAMES = _phrases(_ARCHIVES)
_LABEL_NAMES = _phrases(_LABELS)
_NAVIGATION_NAMES = _phrases(f"{_NAVIGATION}|{_POSTS}|{_COMMENTS}")
_SHARE_STARTS = tuple(sorted(_phrases(_SHARES)))
_NETWORK_NAMES = _phrases(_NETWORKS)
_PROMPT_STARTS = tuple(part.casefold() for part in _PROMPTS.split("|"))


def furniture_reason(line: str, *, opens: bool) -> str | None:
    """Return why a line is furniture, or None when it may be text.

    Args:
        line: one line of a page.
        opens: whether it stands before the text. Labels such as "Tag: …" name an archive there;
            after the text they belong to the article, as its closing credits do.
    """
    line = line.strip()
    if len(line) > LONGEST:
        return None
    small = line.casefold()
    bare = small.strip(_MARKS)
    if bare in _NAVIGATION_NAMES or small.startswith(_PROMPT_STARTS) or _shares(bare):
        return "navigation"
    if opens and _names_archive(small):
        return "archive_heading"
    return None


def _shares(line: str) -> bool:
    """Whether a line offers to share the page: "Share on Facebook"."""
    starts = (start for start in _SHARE_STARTS if line.startswith(start))
    return any(line[len(start) :].strip() in _NETWORK_NAMES for start in starts)


def _names_archive(line: str) -> bool:
    """Whether a line is the heading of a list of articles: "Tag archives: …", "Archive for …"."""
    name, colon, rest = line.replace("：", ":").partition(":")
    name = name.strip()
    if line in _ARCHIVE_NAMES or (colon and name in _ARCHIVE_NAMES):
        return True
    if line.startswith(("archive for ", "archives for ", "posts tagged ", "posts in category ")):
        return True
    return bool(colon and rest.strip()) and name in _LABEL_NAMES
