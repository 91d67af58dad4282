using System.Net.Security;

namespace Lb.Transport;

/// <summary>Looks at the TLS options of gateways and servers and tries their files.</summary>
internal static class TlsValidation
{
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            if (gateway.Tls is { } tls) Validate($"{options.Path}:Gateways:{name}:Tls", tls, errors);
        }

        foreach ((string name, PoolOptions pool) in options.Pools)
        {
            for (int i = 0; i < pool.Servers.Count; i++)
            {
                if (pool.Servers[i].Tls is { } tls) Validate($"{options.Path}:Pools:{name}:Servers:{i}:Tls", tls, errors);
            }
        }
    }

    private static void Validate(string path, GatewayTlsOptions tls, ICollection<ConfigurationError> errors)
    {
        if (tls.Certificates.Count == 0 && tls.CertificateDirectory is null)
            errors.Add(new($"{path}:Certificates", null, "is required, or a CertificateDirectory"));
        for (int i = 0; i < tls.Certificates.Count; i++)
        {
            CertificateOptions certificate = tls.Certificates[i];
            string at = $"{path}:Certificates:{i}";
            if (certificate.PfxFile is not null && (certificate.CertificateFile ?? certificate.KeyFile) is { } pem)
                errors.Add(new($"{at}:PfxFile", certificate.PfxFile, $"must not be beside a PEM file, {pem}"));
            else if (certificate is { Password: not null, PasswordFile: not null })
                errors.Add(new($"{at}:PasswordFile", certificate.PasswordFile, "must not be beside a Password"));
            else
                Try(at, errors, () => CertificateFiles.Load(certificate));
            for (int n = 0; n < certificate.Names.Count; n++) ValidateName($"{at}:Names:{n}", certificate.Names[n], errors);
        }

        if (tls.CertificateDirectory is { } directory) Try(path, errors, () => CertificateFiles.List(directory).Select(CertificateFiles.Load).ToList());
        if (string.CompareOrdinal(tls.MinVersion, tls.MaxVersion) > 0) errors.Add(new($"{path}:MinVersion", tls.MinVersion, $"must not be above MaxVersion {tls.MaxVersion}"));
        for (int i = 0; i < tls.Ciphers.Count; i++)
        {
            if (OperatingSystem.IsWindows()) errors.Add(new($"{path}:Ciphers:{i}", tls.Ciphers[i], "can't be set on Windows: the system's policy holds"));
            else if (!TlsVersions.TryParseSuite(tls.Ciphers[i], out TlsCipherSuite _))
                errors.Add(new($"{path}:Ciphers:{i}", tls.Ciphers[i], "is no cipher suite; write it as TLS_AES_128_GCM_SHA256"));
        }

        ValidateAlpn(path, tls.Alpn, errors);
        if (tls.ClientCertificate != ClientCertificate.None && tls.CaFile is null)
            errors.Add(new($"{path}:CaFile", null, "is required with ClientCertificate: whose certificates are accepted?"));
        if (tls.CaFile is { } authorities) Try(path, errors, () => CertificateFiles.LoadAuthorities(authorities));
    }

    private static void Validate(string path, ServerTlsOptions tls, ICollection<ConfigurationError> errors)
    {
        if (tls.KeyFile is not null && tls.CertificateFile is null) errors.Add(new($"{path}:KeyFile", tls.KeyFile, "is of no use without CertificateFile"));
        if (tls.Verify == ServerVerify.None && tls.VerifyHost is not null) errors.Add(new($"{path}:VerifyHost", tls.VerifyHost, "is of no use with Verify none"));
        ValidateAlpn(path, tls.Alpn, errors);
        Try(path, errors, () => TlsClient.Read(tls));
    }

    private static void ValidateName(string path, string name, ICollection<ConfigurationError> errors)
    {
        string bare = name.StartsWith("*.", StringComparison.Ordinal) ? name[2..] : name;
        if (Uri.CheckHostName(bare) != UriHostNameType.Dns) errors.Add(new(path, name, "must be a host name, or *. and a host name"));
    }

    private static void ValidateAlpn(string path, IList<string> protocols, ICollection<ConfigurationError> errors)
    {
        for (int i = 0; i < protocols.Count; i++)
        {
            if (protocols[i].Length is 0 or > 255 || !System.Text.Ascii.IsValid(protocols[i]))
                errors.Add(new($"{path}:Alpn:{i}", protocols[i], "must be 1 to 255 characters of ASCII, as h2 or http/1.1"));
        }
    }

    private static void Try(string path, ICollection<ConfigurationError> errors, Func<object> read)
    {
        try
        {
            _ = read();
        }
        catch (CertificateException error)
        {
            errors.Add(new($"{path}:{error.Key}", error.File, error.Reason));
        }
    }
}
