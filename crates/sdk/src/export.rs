//! The one line that makes a crate a plugin.

/// Makes a crate that is built as a `cdylib` a plugin: places its card in a section of its own, and exports the one symbol. Takes
/// the type that implements [`Plugin`](crate::Plugin). Once in a library.
#[macro_export]
macro_rules! export {
    ($plugin:ty) => {
        const _: () = {
            /// Who this plugin is: read from the file, before anything here runs.
            #[used]
            #[cfg_attr(
                any(target_os = "linux", target_os = "android", target_os = "freebsd"),
                unsafe(link_section = ".zonestack")
            )]
            #[cfg_attr(target_vendor = "apple", unsafe(link_section = "__DATA,__zonestack"))]
            #[cfg_attr(windows, unsafe(link_section = ".zstk"))]
            static CARD: $crate::abi::Card = $crate::card::<$plugin>();

            /// The one symbol.
            ///
            /// # Safety
            /// As [`zonestack_abi::Entry`] says.
            #[unsafe(no_mangle)]
            unsafe extern "C" fn zonestack_plugin_v1(
                host: *const $crate::abi::HostV1,
            ) -> *const $crate::abi::PluginV1 {
                // SAFETY: the caller's promise is passed on.
                unsafe { $crate::glue::open::<$plugin>(host) }
            }
        };
    };
}
