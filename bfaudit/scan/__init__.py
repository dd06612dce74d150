"""Asking exchanges what keys may do: reads only, by ccxt's signatures, over our own transport."""
