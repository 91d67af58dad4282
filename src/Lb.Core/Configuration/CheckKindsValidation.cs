using Microsoft.Extensions.Options;

namespace Lb;

/// <summary>Ranges of the sub-sections of a check. What a value means is judged by those who check. Pure.</summary>
internal static class CheckKindsValidation
{
    public static void Validate(string path, CheckOptions check, List<ConfigurationError> errors)
    {
        for (int i = 0; i < check.Requests.Count; i++) Rules.Run(new CheckRequestRules(), $"{path}:Requests:{i}", check.Requests[i], errors);
        for (int i = 0; i < check.Script.Count; i++) Rules.Run(new CheckStepRules(), $"{path}:Script:{i}", check.Script[i], errors);
        if (check.Tls is { } tls) Rules.Run(new CheckTlsRules(), $"{path}:Tls", tls, errors);
        if (check.Udp is { } udp) Rules.Run(new CheckUdpRules(), $"{path}:Udp", udp, errors);
        if (check.Dns is { } dns) Rules.Run(new CheckDnsRules(), $"{path}:Dns", dns, errors);
    }
}

[OptionsValidator]
internal sealed partial class CheckRequestRules : IValidateOptions<CheckRequestOptions>;

[OptionsValidator]
internal sealed partial class CheckStepRules : IValidateOptions<CheckStepOptions>;

[OptionsValidator]
internal sealed partial class CheckTlsRules : IValidateOptions<CheckTlsOptions>;

[OptionsValidator]
internal sealed partial class CheckUdpRules : IValidateOptions<CheckUdpOptions>;

[OptionsValidator]
internal sealed partial class CheckDnsRules : IValidateOptions<CheckDnsOptions>;
