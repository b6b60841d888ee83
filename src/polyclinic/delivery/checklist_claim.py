"""CLAIM, 44 items for studies with medical images, each in a line of our own words.

Source: numbering of the 2024 update, Tejani AS et al. Radiol Artif Intell 2024;6(4):e240300; the official wording
stands there.
"""

from polyclinic.delivery.checklist import Item, Source

CLAIM = (
    Item("1", Source.TITLE, "Title says that and which AI was used"),
    Item("2", Source.SUMMARY, "Structured summary", "background and conclusions in words"),
    Item("3", Source.USE, "Background, intended use and role", "the background"),
    Item("4", Source.QUESTION, "Aims and hypotheses"),
    Item("5", Source.AUTHORS, "Prospective or retrospective"),
    Item("6", Source.QUESTION, "Goal of the study"),
    Item("7", Source.DATA, "Where the data come from"),
    Item("8", Source.FLOW, "Who was included and excluded", "criteria applied before the table was made"),
    Item("9", Source.PREPARED, "Preparation of the images"),
    Item("10", Source.PREPARED, "Choice of parts of the images"),
    Item("11", Source.AUTHORS, "How records were de-identified"),
    Item("12", Source.MISSING, "Missing data"),
    Item("13", Source.AUTHORS, "How the images were acquired"),
    Item("14", Source.QUESTION, "Reference standard: how the truth was set", "how it was obtained"),
    Item("15", Source.AUTHORS, "Why this reference standard"),
    Item("16", Source.AUTHORS, "Who annotated, how trained"),
    Item("17", Source.AUTHORS, "How the test set was annotated"),
    Item("18", Source.AUTHORS, "How far readers agreed"),
    Item("19", Source.SPLIT, "How records were assigned to parts"),
    Item("20", Source.SPLIT, "Level at which parts are disjoint"),
    Item("21", Source.DATA, "Intended sample size", "why this size is enough"),
    Item("22", Source.MODEL, "The model in detail"),
    Item("23", Source.SOFTWARE, "Libraries and their versions"),
    Item("24", Source.STARTED_FROM, "How the weights were initialised"),
    Item("25", Source.TRAINING, "Training in detail"),
    Item("26", Source.MODEL, "How the final model was chosen"),
    Item("27", Source.MODEL, "Ensembles"),
    Item("28", Source.PERFORMANCE, "Measures of performance"),
    Item("29", Source.UNCERTAINTY, "Uncertainty and significance"),
    Item("30", Source.SUBGROUPS, "Robustness and sensitivity", "tests under changed conditions"),
    Item("31", Source.AUTHORS, "Explanations of answers"),
    Item("32", Source.PERFORMANCE, "Evaluation on internal data"),
    Item("33", Source.AUTHORS, "Testing on external data"),
    Item("34", Source.AUTHORS, "Registration"),
    Item("35", Source.FLOW, "How many were included and excluded"),
    Item("36", Source.TABLE_ONE, "Who the patients are, by part", "the same by part"),
    Item("37", Source.PERFORMANCE, "Performance with uncertainty"),
    Item("38", Source.PERFORMANCE, "Diagnostic estimates and their precision"),
    Item("39", Source.MISTAKES, "Analysis of failures", "what they have in common"),
    Item("40", Source.LIMITS, "Limitations", "what they mean"),
    Item("41", Source.USE, "What it means for practice", "implications"),
    Item("42", Source.SOFTWARE, "Protocol and technical details", "the protocol"),
    Item("43", Source.ARTEFACT, "Availability of software, model and data", "of the data"),
    Item("44", Source.AUTHORS, "Funding and the role of funders"),
)
