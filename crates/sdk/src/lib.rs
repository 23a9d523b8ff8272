//! What a zonestack plugin is written with.
