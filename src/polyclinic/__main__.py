"""`python -m polyclinic` is `polyclinic`."""

from polyclinic.cli import main

main()
