"""bfaudit audits what crypto-exchange API keys may do, against policy written as code."""

__version__ = "0.1.0"
