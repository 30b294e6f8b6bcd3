"""Annotate kept documents with language and topic.

Holds: the annotator interface, the built-in annotators and the annotate stage.
"""
