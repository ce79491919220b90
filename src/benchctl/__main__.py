"""``python -m benchctl``, which is also how ``accelerate launch -m benchctl`` starts the program."""

from benchctl.cli import main

if __name__ == "__main__":
    main()
