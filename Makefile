PYTHON ?= python3
STAGE ?= prod
install = $(PYTHON) scripts/install.py

up:
	@$(install) emulator node
	@.local/venv/bin/python scripts/local_stack.py up

down:
	@$(install) emulator
	@.local/venv/bin/python scripts/local_stack.py down

clean:
	@$(install) emulator
	@.local/venv/bin/python scripts/local_stack.py clean
