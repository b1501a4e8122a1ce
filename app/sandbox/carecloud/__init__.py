"""CareCloud's enterprise interface v1.0 as its documents describe it."""
