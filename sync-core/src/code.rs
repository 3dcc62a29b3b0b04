//! Stable codes: what is written and sent in a word, as a type of its own.

/// Declares an enum of stable codes. One that this version does not know, of a later one, is kept as it came, so that whoever
/// passes it on passes on the same bytes.
macro_rules! codes {
    (
        $(#[$about:meta])*
        pub enum $Name:ident { $( $(#[$doc:meta])* $Variant:ident = $code:literal, )+ }
    ) => {
        $(#[$about])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum $Name {
            $( $(#[$doc])* $Variant, )+
            /// A code of a later version.
            Later(Box<str>),
        }

        impl $Name {
            /// Every code that this version knows.
            pub const KNOWN: &'static [Self] = &[$( Self::$Variant, )+];

            /// The stable code.
            pub fn code(&self) -> &str {
                match self {
                    $( Self::$Variant => $code, )+
                    Self::Later(code) => code,
                }
            }

            /// From the stable code.
            pub fn from_code(code: &str) -> Self {
                match code {
                    $( $code => Self::$Variant, )+
                    later => Self::Later(later.into()),
                }
            }
        }

        impl std::fmt::Display for $Name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.code())
            }
        }

        impl<C> minicbor::Encode<C> for $Name {
            fn encode<W: minicbor::encode::Write>(
                &self,
                e: &mut minicbor::Encoder<W>,
                _: &mut C,
            ) -> Result<(), minicbor::encode::Error<W::Error>> {
                e.str(self.code())?.ok()
            }
        }

        impl<'b, C> minicbor::Decode<'b, C> for $Name {
            fn decode(d: &mut minicbor::Decoder<'b>, _: &mut C) -> Result<Self, minicbor::decode::Error> {
                d.str().map(Self::from_code)
            }
        }
    };
}

pub(crate) use codes;
