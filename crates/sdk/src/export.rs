//! The one line that makes a crate a plugin.

/// Makes a crate that is built as a `cdylib` a plugin: places its card in a section of its own, and exports the one symbol. Once in
/// a library. Takes the type that implements [`Plugin`](crate::Plugin); or what the usual plugin consists of, and then writes that
/// type, with the version of the crate:
///
/// ```
/// # use zonestack_sdk::prelude::*;
/// # #[derive(Deserialize, JsonSchema)]
/// # struct Settings {}
/// # struct Keeper;
/// # impl TypedComponent for Keeper {
/// #     type Settings = Settings;
/// #     fn describe(&self) -> ComponentType { ComponentType::new("keeper", "Nothing") }
/// #     fn check(&self, _: &Settings) -> Vec<Finding> { Vec::new() }
/// #     fn render(&self, _: &Settings, _: &RenderContext<'_>) -> Rendered { Rendered::default() }
/// # }
/// # struct Shelf;
/// # impl TypedDriver for Shelf {
/// #     type Spec = ();
/// #     fn declaration() -> KindDeclaration { KindDeclaration::new("keeper.note", Identity::Name) }
/// #     async fn find(&self, _: Call<'_>) -> Outcome<Option<Found<()>>> { Ok(None) }
/// #     async fn list(&self, _: &Owner) -> Outcome<Vec<Found<()>>> { Ok(Vec::new()) }
/// #     async fn create(&self, call: Call<'_>, _: ()) -> Outcome<String> { call.name().map(str::to_owned) }
/// #     async fn update(&self, _: Call<'_>, _: (), _: &[Difference]) -> Outcome { Ok(()) }
/// #     async fn delete(&self, _: Call<'_>, _: &Deletion) -> Outcome { Ok(()) }
/// # }
/// impl Shelf {
///     /// Clients are made here, from what the host gives. Nothing is called yet.
///     async fn open(_host: Host) -> Outcome<Self> {
///         Ok(Self)
///     }
/// }
///
/// zonestack_sdk::export! {
///     name: "keeper",
///     components: [Keeper],
///     drivers: [Shelf::open],
/// }
/// # fn main() {}
/// ```
///
/// Each driver is a function from the [`Host`](crate::Host) to a [`TypedDriver`](crate::typed_driver::TypedDriver).
#[macro_export]
macro_rules! export {
    (
        name: $name:literal,
        components: [$($component:expr),* $(,)?],
        drivers: [$($driver:expr),* $(,)?] $(,)?
    ) => {
        const _: () = {
            use $crate::prelude::{
                Arc, BoxFuture, Component, Driver, Host, KindDeclaration, Outcome, Plugin,
            };

            struct Exported;

            impl Plugin for Exported {
                const NAME: &'static str = $name;
                const VERSION: &'static str = env!("CARGO_PKG_VERSION");

                fn components() -> Vec<Arc<dyn Component>> {
                    vec![$(Arc::new($component)),*]
                }

                fn kinds() -> Vec<KindDeclaration> {
                    vec![$($crate::typed_driver::declared($driver)),*]
                }

                fn drivers(host: Host) -> BoxFuture<'static, Outcome<Vec<Arc<dyn Driver>>>> {
                    Box::pin(async move {
                        Ok(vec![$($crate::typed_driver::opened($driver, &host).await?),*])
                    })
                }
            }

            $crate::export!(Exported);
        };
    };
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
