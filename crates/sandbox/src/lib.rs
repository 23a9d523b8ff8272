//! A model of AWS and Kubernetes inside the binary, with zones, states, durations and faults.
