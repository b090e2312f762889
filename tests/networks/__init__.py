"""Networks that the tests run twice: by Brian2's own runtime mode, and by this project's device."""
