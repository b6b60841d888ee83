"""How each form of answer is delivered: as columns, files and figures. One file per form."""
