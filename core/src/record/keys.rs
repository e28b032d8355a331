//! Declares the keys of a format once: their names, and a slot for the value of each.

/// `keys! { field = "key", … }` gives a struct `Slots` for the values of one object, and
/// `is_known(key)`.
macro_rules! keys {
    ($($name:ident = $key:literal),* $(,)?) => {
        /// The last value of every key that a record has a field for.
        #[derive(Default)]
        struct Slots<'a> {
            $($name: Option<$crate::record::json::Field<'a>>,)*
        }

        impl<'a> Slots<'a> {
            /// Puts a member into its slot; gives it back if there is none.
            fn take(&mut self, member: Member<'a>) -> Option<Member<'a>> {
                match member.key.as_deref() {
                    $(Some($key) => self.$name = Some(Field::new($key, member.value)),)*
                    _ => return Some(member),
                }
                None
            }
        }

        /// Whether a record has a field for this key; the version key aside.
        pub(super) fn is_known(key: &str) -> bool {
            matches!(key, $($key)|*)
        }
    };
}

/// The field of a key that must be there.
macro_rules! required {
    ($slots:ident.$name:ident = $key:literal) => {
        match &$slots.$name {
            Some(field) => Ok(field),
            None => Err(Refusal::corrupt(concat!("`", $key, "` is missing"))),
        }
    };
}

/// The field of a key that may be missing, or null, which says the same.
macro_rules! optional {
    ($slots:ident.$name:ident) => {
        $slots.$name.as_ref().filter(|field| !field.is_null())
    };
}
