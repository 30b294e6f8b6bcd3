"""A first tour of the corpus, for a new analyst: `make notebook` opens it in a browser.

It reads the demo corpus of `make demo` (or the one that `WINNOW_CONFIG` names) with DuckDB and
draws with matplotlib. Read it from the top; change a cell and what follows from it changes.
"""

import marimo

app = marimo.App(width="medium", app_title="A tour of the corpus")


@app.cell
def open_corpus():
    import duckdb
    import marimo as mo
    import matplotlib.pyplot as plt

    from pipeline.reading import dataset

    documents = dataset("documents")
    verdicts = dataset("verdicts")
    quarantine = dataset("quarantine")
    db = duckdb.connect()
    for name, table in {
        "documents": documents,
        "verdicts": verdicts,
        "quarantine": quarantine,
    }.items():
        db.register(name, table)
    return db, mo, plt


@app.cell
def welcome(mo):
    mo.md("""
    # A tour of the corpus

    Every night brings a dump of scraped text. Winnow splits it into documents and publishes one
    copy of each. Three tables matter here: `documents`, what was published; `verdicts`, every
    document with the reason why it is published or not; `quarantine`, what is no document.
    All three are of one snapshot, so they fit together even while a night is published.
    """)
    return


@app.cell
def nights(db):
    by_night = db.sql("""
        SELECT dump_date, count(*) AS split, count(*) FILTER (kept) AS published,
               count(*) FILTER (reason = 'exact') AS exact,
               count(*) FILTER (reason = 'near') AS near
        FROM verdicts GROUP BY dump_date ORDER BY dump_date
    """).df()
    by_night
    return (by_night,)


@app.cell
def nights_drawn(by_night, plt):
    nights_figure, nights_axes = plt.subplots(figsize=(7, 3))
    below = 0
    labels = [str(date)[:10] for date in by_night["dump_date"]]
    for kind in ("published", "exact", "near"):
        nights_axes.bar(labels, by_night[kind], bottom=below, label=kind)
        below = below + by_night[kind]
    nights_axes.set_ylabel("documents")
    nights_axes.legend()
    nights_axes.set_title("What became of each night's documents")
    nights_figure
    return (nights_figure,)


@app.cell
def languages(db, plt):
    by_language = db.sql("""
        SELECT language, count(*) AS documents, sum(word_count) AS words
        FROM documents GROUP BY language ORDER BY documents DESC, language
    """).df()
    language_figure, language_axes = plt.subplots(figsize=(7, 3))
    language_axes.bar(by_language["language"], by_language["documents"])
    language_axes.set_ylabel("documents")
    language_axes.set_title("Languages (ISO 639-3)")
    language_figure
    return by_language, language_figure


@app.cell
def topics(db, plt):
    by_topic = db.sql("""
        SELECT topic_label, count(*) AS documents
        FROM documents WHERE topic_status = 'ok'
        GROUP BY topic_label ORDER BY documents, topic_label
    """).df()
    topic_figure, topic_axes = plt.subplots(figsize=(7, 4))
    topic_axes.barh(by_topic["topic_label"], by_topic["documents"])
    topic_axes.set_title("Topics, where the model is sure enough")
    topic_figure.tight_layout()
    topic_figure
    return by_topic, topic_figure


@app.cell
def choice(by_language, mo):
    language = mo.ui.dropdown(list(by_language["language"]), value=by_language["language"][0])
    mo.md(f"**One language.** Longest articles in {language}:")
    return (language,)


@app.cell
def longest(db, language):
    articles = db.execute(
        """
        SELECT dump_date, title, char_count, topic_label, left(text, 80) AS begins
        FROM documents WHERE language = ? ORDER BY char_count DESC, document_id LIMIT 5
        """,
        [language.value],
    ).df()
    articles
    return (articles,)


@app.cell
def copies(db):
    copiers = db.sql("""
        SELECT origin.source AS origin, copy.source AS copier, count(*) AS texts,
               round(avg(copy.similarity), 3) AS similarity
        FROM verdicts AS copy JOIN verdicts AS origin ON origin.document_id = copy.witness_id
        GROUP BY ALL ORDER BY texts DESC, origin, copier
    """).df()
    copiers
    return (copiers,)


@app.cell
def not_there(db):
    reasons = db.sql("""
        SELECT kind, reason, count(*) AS spans FROM quarantine
        GROUP BY ALL ORDER BY spans DESC, reason
    """).df()
    reasons
    return (reasons,)


@app.cell
def next_steps(mo):
    mo.md("""
    Where to go from here: `docs/questions.md` has twenty-five questions with their SQL,
    `docs/data-contract.md` says what each column means, `docs/reading.md` how other tools read.
    """)
    return


if __name__ == "__main__":
    app.run()
