"""The page about a run: what came in, what became of it, what was unusual, what it cost.

`stage.py` writes it, `facts.py` names what it says, `gather.py` and its neighbours find that in a
corpus, `plots.py` and `page.py` show it. Everything on it comes from the corpus, so that the same
run gives the same page, whenever it is made. Its texts come from strangers: `visible.py` and the
template's autoescape stand between them and a reader's browser.
"""
