"""The plugins that ship with benchctl, found through the same entry points as anybody else's."""
