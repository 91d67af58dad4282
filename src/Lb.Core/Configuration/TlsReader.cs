namespace Lb;

/// <summary>Reads the TLS sections of gateways and servers. Pure.</summary>
internal static class TlsReader
{
    public static GatewayTlsOptions Gateway(ConfigurationReader reader, GatewayTlsOptions? current)
    {
        GatewayTlsOptions tls = current ?? new();
        reader.Items("Certificates", isList: true, (_, r) => tls.Certificates.Add(Certificate(r)));
        tls.CertificateDirectory = reader.Text("CertificateDirectory", tls.CertificateDirectory);
        tls.StrictSni = reader.Flag("StrictSni", tls.StrictSni);
        tls.MinVersion = reader.Word("MinVersion", tls.MinVersion);
        tls.MaxVersion = reader.Word("MaxVersion", tls.MaxVersion);
        reader.Texts("Ciphers", tls.Ciphers);
        reader.Texts("Alpn", tls.Alpn);
        tls.HandshakeTimeout = reader.Duration("HandshakeTimeout", tls.HandshakeTimeout);
        tls.ClientCertificate = reader.Choice("ClientCertificate", tls.ClientCertificate);
        tls.CaFile = reader.Text("CaFile", tls.CaFile);
        tls.OcspStapling = reader.Flag("OcspStapling", tls.OcspStapling);
        tls.ReloadInterval = reader.Duration("ReloadInterval", tls.ReloadInterval);
        return tls;
    }

    public static ServerTlsOptions Server(ConfigurationReader reader)
    {
        ServerTlsOptions tls = new();
        tls.Verify = reader.Choice("Verify", tls.Verify);
        tls.CaFile = reader.Text("CaFile", tls.CaFile);
        tls.Sni = reader.Text("Sni", tls.Sni);
        tls.VerifyHost = reader.Text("VerifyHost", tls.VerifyHost);
        tls.CertificateFile = reader.Text("CertificateFile", tls.CertificateFile);
        tls.KeyFile = reader.Text("KeyFile", tls.KeyFile);
        reader.Texts("Alpn", tls.Alpn);
        tls.MinVersion = reader.Word("MinVersion", tls.MinVersion);
        return tls;
    }

    private static CertificateOptions Certificate(ConfigurationReader reader)
    {
        CertificateOptions certificate = new();
        certificate.CertificateFile = reader.Text("CertificateFile", certificate.CertificateFile);
        certificate.KeyFile = reader.Text("KeyFile", certificate.KeyFile);
        certificate.PfxFile = reader.Text("PfxFile", certificate.PfxFile);
        certificate.Password = reader.Text("Password", certificate.Password);
        certificate.PasswordFile = reader.Text("PasswordFile", certificate.PasswordFile);
        reader.Texts("Names", certificate.Names);
        return certificate;
    }
}
