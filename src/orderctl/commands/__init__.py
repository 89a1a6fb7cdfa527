"""One module per subcommand. Each registers itself with `orderctl.app`."""
