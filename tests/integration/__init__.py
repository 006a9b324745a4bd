"""Real servers on loopback for the tests: registries, proxies, and servers that misbehave on purpose."""
