"""The operator's command, for a terminal and for scripts. It is no part of the artefact."""
