"""StepProgram -> running code. ``memory`` holds the arrays, ``cpu`` renders and runs C++."""
