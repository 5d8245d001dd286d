"""Find and run Heroku operations in your own words, on your own machine."""

__version__ = "0.1.0"
