"""One HTTP client: deadlines, retries, TLS, proxies, and failures in words."""
