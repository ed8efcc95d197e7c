"""The tutorial's network: built, trained, evaluated, recorded."""
