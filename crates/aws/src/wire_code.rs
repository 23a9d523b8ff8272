//! From the codes on the wire to classes: one table for every service (domain.md 7.9; lab.md section 2; reliability.md
//! B.4.10).
//!
//! Services spell one code in several ways (`DBInstanceNotFound` on the wire, `DBInstanceNotFoundFault` in the model;
//! `Throttling`, `ThrottlingException`), so the table holds codes without `Fault`, `Exception` and `Message` at their end.

use zonestack_core::driver::ErrorClass;

/// What is the same for many services, and exceptions to [`SUFFIXES`].
const CODES: &[(&str, Class)] = &[
    // Too many calls. EC2 says RequestLimitExceeded, which is no quota.
    ("APICallRateForCustomerExceeded", Class::Throttled), // ElastiCache
    ("BandwidthLimitExceeded", Class::Throttled),
    ("PriorRequestNotComplete", Class::Throttled),
    ("RequestLimitExceeded", Class::Throttled),
    ("RequestThrottled", Class::Throttled),
    ("SlowDown", Class::Throttled),
    ("Throttled", Class::Throttled),
    ("Throttling", Class::Throttled),
    ("TooManyRequests", Class::Throttled),
    // The service itself failed.
    ("DependencyTimeout", Class::Transient),
    ("InternalError", Class::Transient),
    ("InternalFailure", Class::Transient),
    ("InternalServerError", Class::Transient),
    ("InternalService", Class::Transient),
    ("RequestTimeout", Class::Transient),
    ("ServiceUnavailable", Class::Transient),
    ("Unavailable", Class::Transient),
    // EFS looks a security group or a subnet up at EC2, which may not show it for some seconds after its creation.
    ("SecurityGroupNotFound", Class::Transient),
    // Credentials whose time is over. RequestExpired also comes from a clock that is more than 15 minutes wrong.
    ("ExpiredToken", Class::Expired),
    ("RequestExpired", Class::Expired),
    ("TokenRefreshRequired", Class::Expired),
    ("UnauthorizedSSOToken", Class::Expired),
    // Credentials that are wrong, or may not do this.
    ("AccessDenied", Class::Denied),
    ("AuthFailure", Class::Denied),
    ("Blocked", Class::Denied),
    ("IncompleteSignature", Class::Denied),
    ("InvalidAccessKeyId", Class::Denied),
    ("InvalidClientTokenId", Class::Denied),
    ("InvalidToken", Class::Denied),
    ("KMSKeyNotAccessible", Class::Denied),
    ("MissingAuthenticationToken", Class::Denied),
    ("NotAuthorized", Class::Denied),
    ("OperationNotPermitted", Class::Denied),
    ("OptInRequired", Class::Denied),
    ("PendingVerification", Class::Denied),
    ("SignatureDoesNotMatch", Class::Denied),
    ("UnauthorizedOperation", Class::Denied),
    ("UnrecognizedClient", Class::Denied),
    // Something of this name, token or place is there.
    ("IncompatibleParameterError", Class::AlreadyExists), // FSx: this token, other parameters
    ("MountTargetConflict", Class::AlreadyExists),
    // In a state in which it cannot be changed.
    ("IncorrectFileSystemLifeCycleState", Class::Busy),
    ("IncorrectInstanceState", Class::Busy),
    ("IncorrectMountTargetState", Class::Busy),
    ("IncorrectState", Class::Busy),
    ("InvalidCacheClusterState", Class::Busy),
    ("InvalidCacheParameterGroupState", Class::Busy),
    ("InvalidDBClusterSnapshotState", Class::Busy),
    ("InvalidDBClusterState", Class::Busy),
    ("InvalidDBInstanceState", Class::Busy),
    ("InvalidDBParameterGroupState", Class::Busy),
    ("InvalidDBSecurityGroupState", Class::Busy),
    ("InvalidDBSnapshotState", Class::Busy),
    ("InvalidDBSubnetGroupState", Class::Busy),
    ("InvalidDBSubnetState", Class::Busy),
    ("InvalidReplicationGroupState", Class::Busy),
    ("InvalidUserGroupState", Class::Busy),
    // Something still uses it.
    ("CacheParameterGroupInUse", Class::Dependency),
    ("CacheSubnetGroupInUse", Class::Dependency),
    ("DependencyViolation", Class::Dependency),
    ("FileSystemInUse", Class::Dependency),
    ("InvalidGroup.InUse", Class::Dependency),
    ("ResourceInUse", Class::Dependency),
    ("SubnetInUse", Class::Dependency),
    // The zone cannot take it: no capacity, no addresses, or not offered there.
    ("InsufficientCacheClusterCapacity", Class::ZoneUnavailable),
    ("InsufficientDBClusterCapacity", Class::ZoneUnavailable),
    ("InsufficientDBInstanceCapacity", Class::ZoneUnavailable),
    ("InsufficientFreeAddressesInSubnet", Class::ZoneUnavailable),
    ("InsufficientInstanceCapacity", Class::ZoneUnavailable),
    ("NoFreeAddressesInSubnet", Class::ZoneUnavailable),
    ("UnsupportedAvailabilityZone", Class::ZoneUnavailable),
    // A limit of the account.
    ("InsufficientThroughputCapacity", Class::Quota),
    ("InsufficientStorageClusterCapacity", Class::Quota),
    ("NetworkInterfaceLimitExceeded", Class::Quota),
    ("NodeQuotaForClusterExceeded", Class::Quota),
    ("ServiceLimitExceeded", Class::Quota),
    // A part of the network that the specification names is not there: the specification is wrong, not the thing itself gone.
    ("InvalidSubnet", Class::Invalid),
    ("InvalidSubnetID.NotFound", Class::Invalid),
    ("InvalidVPCNetworkState", Class::Invalid),
    ("InvalidVpcID.NotFound", Class::Invalid),
    ("SubnetNotFound", Class::Invalid),
    // The specification is not accepted.
    ("AvailabilityZonesMismatch", Class::Invalid),
    ("BadRequest", Class::Invalid),
    ("DBSubnetGroupDoesNotCoverEnoughAZs", Class::Invalid),
    ("DBUpgradeDependencyFailure", Class::Invalid),
    ("IdempotentParameterMismatch", Class::Invalid),
    ("InvalidInput", Class::Invalid),
    ("InvalidParameter", Class::Invalid),
    ("InvalidParameterCombination", Class::Invalid),
    ("InvalidParameterValue", Class::Invalid),
    ("InvalidPolicy", Class::Invalid),
    ("InvalidRequest", Class::Invalid),
    ("IpAddressInUse", Class::Invalid),
    ("MalformedQueryString", Class::Invalid),
    ("MissingParameter", Class::Invalid),
    ("ServiceLinkedRoleNotFound", Class::Invalid),
    ("StorageTypeNotSupported", Class::Invalid),
    ("UnknownParameter", Class::Invalid),
    ("Validation", Class::Invalid),
    ("ValidationError", Class::Invalid),
    // Not offered.
    ("InvalidAction", Class::Unsupported),
    ("NotImplemented", Class::Unsupported),
    ("OperationNotSupported", Class::Unsupported),
    ("UnknownOperation", Class::Unsupported),
    ("Unsupported", Class::Unsupported),
    ("UnsupportedOperation", Class::Unsupported),
];

/// Families of codes, tried in this order when [`CODES`] does not have the code.
const SUFFIXES: &[(&str, Class)] = &[
    ("AlreadyExists", Class::AlreadyExists),
    (".Duplicate", Class::AlreadyExists),
    ("NotFound", Class::NotFound),
    ("LimitExceeded", Class::Quota),
    ("QuotaExceeded", Class::Quota),
    ("QuotaForCustomerExceeded", Class::Quota),
    (".Malformed", Class::Invalid),
];

/// [`ErrorClass`] without what a table cannot hold.
#[derive(Clone, Copy)]
enum Class {
    Throttled,
    Transient,
    NotFound,
    AlreadyExists,
    Busy,
    Dependency,
    Denied,
    Quota,
    Invalid,
    Expired,
    ZoneUnavailable,
    Unsupported,
}

impl From<Class> for ErrorClass {
    fn from(class: Class) -> Self {
        match class {
            Class::Throttled => Self::Throttled,
            Class::Transient => Self::Transient,
            Class::NotFound => Self::NotFound,
            Class::AlreadyExists => Self::AlreadyExists,
            Class::Busy => Self::Busy,
            Class::Dependency => Self::Dependency,
            Class::Denied => Self::Denied(None),
            Class::Quota => Self::Quota,
            Class::Invalid => Self::Invalid,
            Class::Expired => Self::Expired,
            Class::ZoneUnavailable => Self::ZoneUnavailable,
            Class::Unsupported => Self::Unsupported,
        }
    }
}

/// The class of a code as EC2, EFS, RDS, ElastiCache, FSx and STS send it, with or without `Fault` or `Exception` at its
/// end; `None` for a code that the table does not know.
///
/// A code of the service's own failure is [`ErrorClass::Transient`] here; whether the call may have had an effect only
/// [`crate::error::driver_error`] can tell.
pub fn class_of(code: &str) -> Option<ErrorClass> {
    let code = ["Fault", "Exception", "Message"]
        .iter()
        .find_map(|ending| code.strip_suffix(ending).filter(|rest| !rest.is_empty()))
        .unwrap_or(code);
    let exact = CODES.iter().find(|(known, _)| *known == code);
    let family = || SUFFIXES.iter().find(|(suffix, _)| code.ends_with(suffix));
    exact.or_else(family).map(|(_, class)| ErrorClass::from(*class))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(class: &ErrorClass, codes: &[&str]) {
        for code in codes {
            assert_eq!(class_of(code).as_ref(), Some(class), "{code}");
        }
    }

    #[test]
    fn codes_about_the_thing_have_their_class() {
        check(
            &ErrorClass::AlreadyExists,
            &[
                "FileSystemAlreadyExists",
                "MountTargetConflict",
                "AccessPointAlreadyExists",
                "DBInstanceAlreadyExists",
                "DBInstanceAlreadyExistsFault",
                "DBSubnetGroupAlreadyExists",
                "DBParameterGroupAlreadyExists",
                "DBClusterAlreadyExistsFault",
                "DBSnapshotAlreadyExists",
                "ReplicationGroupAlreadyExists",
                "CacheSubnetGroupAlreadyExists",
                "InvalidGroup.Duplicate",
                "InvalidPermission.Duplicate",
                "IncompatibleParameterError",
            ],
        );
        check(
            &ErrorClass::NotFound,
            &[
                "FileSystemNotFound",
                "MountTargetNotFound",
                "AccessPointNotFound",
                "PolicyNotFound",
                "DBInstanceNotFound",
                "DBInstanceNotFoundFault",
                "DBSubnetGroupNotFoundFault",
                "DBParameterGroupNotFound",
                "DBClusterNotFoundFault",
                "ReplicationGroupNotFoundFault",
                "CacheSubnetGroupNotFoundFault",
                "InvalidGroup.NotFound",
                "InvalidPermission.NotFound",
                "InvalidInstanceID.NotFound",
            ],
        );
        check(
            &ErrorClass::Busy,
            &[
                "IncorrectFileSystemLifeCycleState",
                "IncorrectMountTargetState",
                "InvalidDBInstanceState",
                "InvalidDBInstanceStateFault",
                "InvalidDBSubnetGroupStateFault",
                "InvalidDBClusterStateFault",
                "InvalidReplicationGroupState",
                "InvalidReplicationGroupStateFault",
                "InvalidCacheParameterGroupState",
            ],
        );
        check(
            &ErrorClass::Dependency,
            &["DependencyViolation", "FileSystemInUse", "CacheSubnetGroupInUse"],
        );
    }

    #[test]
    fn codes_about_the_call_have_their_class() {
        check(
            &ErrorClass::Throttled,
            &[
                "Throttling",
                "ThrottlingException",
                "ThrottledException",
                "RequestLimitExceeded",
                "TooManyRequests",
                "TooManyRequestsException",
                "APICallRateForCustomerExceeded",
            ],
        );
        check(
            &ErrorClass::Transient,
            &["InternalServerError", "InternalError", "InternalFailure", "DependencyTimeout"],
        );
        check(
            &ErrorClass::Denied(None),
            &["UnauthorizedOperation", "AccessDenied", "AccessDeniedException", "AuthFailure"],
        );
        check(&ErrorClass::Expired, &["ExpiredToken", "ExpiredTokenException", "RequestExpired"]);
        check(
            &ErrorClass::Quota,
            &[
                "SecurityGroupLimitExceeded",
                "RulesPerSecurityGroupLimitExceeded",
                "FileSystemLimitExceeded",
                "InstanceQuotaExceeded",
                "StorageQuotaExceeded",
                "StorageQuotaExceededFault",
                "NodeQuotaForCustomerExceededFault",
                "NodeQuotaForClusterExceeded",
                "CacheSubnetQuotaExceededFault",
                "ServiceLimitExceeded",
            ],
        );
        check(
            &ErrorClass::Invalid,
            &[
                "ValidationError",
                "ValidationException",
                "InvalidParameterValue",
                "InvalidParameterValueException",
                "InvalidParameterCombination",
                "InvalidGroupId.Malformed",
                "SubnetNotFound",
                "InvalidSubnetID.NotFound",
                "InvalidVpcID.NotFound",
                "ServiceLinkedRoleNotFoundFault",
            ],
        );
        check(
            &ErrorClass::ZoneUnavailable,
            &["InsufficientDBInstanceCapacity", "UnsupportedAvailabilityZone"],
        );
        check(&ErrorClass::Unsupported, &["InvalidAction", "UnsupportedOperation"]);
    }

    #[test]
    fn an_unknown_code_has_no_class() {
        for code in ["", "Fault", "Exception", "SomethingNew", "NotFoundOnTuesdays"] {
            assert_eq!(class_of(code), None, "{code}");
        }
    }

    #[test]
    fn no_code_stands_twice_in_the_table() {
        let mut codes: Vec<_> = CODES.iter().map(|(code, _)| code).collect();
        codes.sort_unstable();
        let count = codes.len();
        codes.dedup();
        assert_eq!(codes.len(), count);
    }
}
