"""One program per shipped environment: it records, trains, proves and packs the world from nothing."""
