"""What may go wrong with a question: the text says what to do, to whoever asked."""


class QuestionFailed(Exception):
    """A question that has no answer, as one or two plain sentences: what is wrong, and what would be right."""
