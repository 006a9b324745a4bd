"""The fault engine: single faults in every input of every flow, and what the gate may answer to them."""
