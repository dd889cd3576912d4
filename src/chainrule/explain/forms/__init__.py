"""How explanations look: one module for each form, of expressions and of whole documents."""
