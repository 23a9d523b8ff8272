//! The gitlab component: one GitLab, a Deployment in each zone.
