/// A service that the tool calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Iam,
    Sts,
    Organizations,
    CloudTrail,
}

impl Service {
    /// The service of an action: `iam:GetUser`.
    pub(super) fn of_action(action: &str) -> Service {
        Service::named(action.split_once(':').map_or(action, |(service, _)| service))
    }

    /// The service with this name in the SDK, which is also the prefix of its actions, in any case.
    pub(super) fn named(name: &str) -> Service {
        match &*name.to_ascii_lowercase() {
            "organizations" => Service::Organizations,
            "cloudtrail" => Service::CloudTrail,
            "sts" => Service::Sts,
            _ => Service::Iam,
        }
    }

    /// Whether its responses are JSON documents. Those of the other services are XML documents.
    pub(super) fn is_json(self) -> bool {
        matches!(self, Service::Organizations | Service::CloudTrail)
    }

    /// What is wrong with a response that is not a complete document.
    pub(super) fn incomplete_response(self) -> &'static str {
        match self {
            Service::Iam => "the response is not a complete XML document of IAM",
            Service::Sts => "the response is not a complete XML document of STS",
            Service::Organizations => {
                "the response is not a complete JSON document of AWS Organizations"
            }
            Service::CloudTrail => "the response is not a complete JSON document of CloudTrail",
        }
    }
}
