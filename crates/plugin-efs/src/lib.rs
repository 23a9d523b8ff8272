//! The efs component: one Amazon EFS file system, mounted through a target in each zone.
