"""How explanations look: exact formulas, pages that are well-formed, and what a browser shows."""
