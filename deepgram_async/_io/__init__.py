"""The only modules that speak to aiohttp and websockets. Import them late: they are heavy."""
