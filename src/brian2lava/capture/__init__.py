"""Brian2 network -> StepProgram: code objects that carry statements, and their order."""
