//! The table: each class of failure's status and name, for the container's clients and for the platform's.

use http::StatusCode;

/// What kind of thing went wrong, as far as answers differ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Class {
    BadPayload,
    BadRequest,
    Busy,
    Conflict,
    EmptyBody,
    HeadTooLarge,
    Internal,
    JsonSyntax,
    LoadFailed,
    MethodNotAllowed,
    ModelNotFound,
    NotAcceptable,
    NotImplemented,
    NotReady,
    OutOfMemory,
    RequestTimeout,
    ResourceNotFound,
    TooLarge,
    UnsupportedMediaType,
    UriTooLong,
    Validation,
    VersionNotSupported,
}

/// The errors that boto3 knows from the runtime service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Platform {
    TooLarge,
    Validation,
    Model,
    NotReady,
    Internal,
    Unavailable,
}

/// A status, a class by AWS's name and what the platform makes of them; a class without a name has no body.
pub(super) type Row = (StatusCode, &'static str, Platform);

impl Class {
    /// The table: what each class is answered with.
    pub(super) fn row(self) -> Row {
        use Platform::{Internal, Model, NotReady, TooLarge, Unavailable, Validation};
        use StatusCode as S;
        match self {
            Self::BadPayload | Self::BadRequest => (S::BAD_REQUEST, "BadRequestException", Model),
            Self::Busy => (S::SERVICE_UNAVAILABLE, "ServiceUnavailableException", Unavailable),
            Self::Conflict => (S::CONFLICT, "ConflictStatusException", Model),
            Self::EmptyBody => (S::NO_CONTENT, "", Model),
            Self::HeadTooLarge => {
                (S::REQUEST_HEADER_FIELDS_TOO_LARGE, "RequestHeaderFieldsTooLargeException", Validation)
            }
            Self::Internal => (S::INTERNAL_SERVER_ERROR, "InternalServerException", Internal),
            Self::JsonSyntax => (S::INTERNAL_SERVER_ERROR, "JsonSyntaxException", Model),
            Self::LoadFailed => (S::INTERNAL_SERVER_ERROR, "InternalServerException", Model),
            Self::MethodNotAllowed => (S::METHOD_NOT_ALLOWED, "MethodNotAllowedException", Validation),
            Self::ModelNotFound => (S::NOT_FOUND, "ModelNotFoundException", Validation),
            Self::NotAcceptable => (S::NOT_ACCEPTABLE, "NotAcceptableException", Model),
            Self::NotImplemented => (S::INTERNAL_SERVER_ERROR, "ModelServerEndpointException", Model),
            Self::NotReady => (S::SERVICE_UNAVAILABLE, "ServiceUnavailableException", NotReady),
            Self::OutOfMemory => (S::INSUFFICIENT_STORAGE, "InternalServerException", Unavailable),
            Self::RequestTimeout => (S::REQUEST_TIMEOUT, "RequestTimeoutException", Validation),
            Self::ResourceNotFound => (S::NOT_FOUND, "ResourceNotFoundException", Validation),
            Self::TooLarge => (S::PAYLOAD_TOO_LARGE, "RequestEntityTooLargeException", TooLarge),
            Self::UnsupportedMediaType => (S::UNSUPPORTED_MEDIA_TYPE, "UnsupportedMediaTypeException", Model),
            Self::UriTooLong => (S::URI_TOO_LONG, "UriTooLongException", Validation),
            Self::Validation => (S::BAD_REQUEST, "BadRequestException", Validation),
            Self::VersionNotSupported => {
                (S::HTTP_VERSION_NOT_SUPPORTED, "HttpVersionNotSupportedException", Validation)
            }
        }
    }

    /// The rows that differ where AWS's container is followed to the letter.
    pub(super) fn strict_row(self) -> Option<Row> {
        let unusable = (StatusCode::SERVICE_UNAVAILABLE, "InternalServerException", Platform::Model);
        match self {
            Self::BadPayload | Self::EmptyBody | Self::NotAcceptable | Self::UnsupportedMediaType => Some(unusable),
            Self::TooLarge => Some((StatusCode::PAYLOAD_TOO_LARGE, "", Platform::TooLarge)),
            _ => None,
        }
    }
}

impl Platform {
    /// The status and the class by boto3's name, where it has one.
    pub(super) fn row(self) -> (StatusCode, &'static str) {
        match self {
            Self::TooLarge => (StatusCode::PAYLOAD_TOO_LARGE, ""),
            Self::Validation => (StatusCode::BAD_REQUEST, "ValidationError"),
            Self::Model => (StatusCode::FAILED_DEPENDENCY, "ModelError"),
            Self::NotReady => (StatusCode::TOO_MANY_REQUESTS, "ModelNotReadyException"),
            Self::Internal => (StatusCode::INTERNAL_SERVER_ERROR, "InternalFailure"),
            Self::Unavailable => (StatusCode::SERVICE_UNAVAILABLE, "ServiceUnavailable"),
        }
    }
}
