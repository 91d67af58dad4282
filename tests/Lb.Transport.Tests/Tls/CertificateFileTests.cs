using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Lb.Transport.Tests.Tls;

/// <summary>Files of certificates: what can be used, and what is said of what can't.</summary>
[Trait("Row", "C1")]
[Trait("Row", "C3")]
public sealed class CertificateFileTests : IDisposable
{
    private readonly TestCertificates _files = new();

    public void Dispose() => _files.Dispose();

    [Fact]
    public void A_PEM_file_has_certificate_chain_and_key()
    {
        using X509Certificate2 made = TestCertificates.Make("www.example.com");
        string file = _files.Write("all.pem", $"{TestCertificates.KeyOf(made)}\n{made.ExportCertificatePem()}\n{TestCertificates.Authority.ExportCertificatePem()}\n");

        LoadedCertificate loaded = CertificateFiles.Load(new CertificateOptions { CertificateFile = file });

        Assert.True(loaded.Certificate.HasPrivateKey);
        Assert.Equal(made.Thumbprint, loaded.Certificate.Thumbprint);
        Assert.Equal(TestCertificates.Authority.Thumbprint, Assert.Single(loaded.Chain).Thumbprint);
        Assert.Equal(["www.example.com"], loaded.Names);
    }

    [Theory]
    [InlineData("pkcs8")]
    [InlineData("pkcs1")]
    public void RSA_keys_are_read_in_both_forms(string form)
    {
        using RSA key = RSA.Create(2048);
        CertificateRequest request = new("CN=rsa.example.com", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using X509Certificate2 made = request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, default), new DateTimeOffset(2120, 1, 1, 0, 0, 0, default));
        CertificateOptions options = new()
        {
            CertificateFile = _files.Write("rsa.pem", made.ExportCertificatePem()),
            KeyFile = _files.Write("rsa.key", form == "pkcs1" ? key.ExportRSAPrivateKeyPem() : key.ExportPkcs8PrivateKeyPem()),
        };

        // Without names for hosts in it, the common name counts.
        Assert.Equal(["rsa.example.com"], CertificateFiles.Load(options).Names);
    }

    [Fact]
    public void An_encrypted_key_is_opened_by_its_password_and_by_no_other()
    {
        using X509Certificate2 made = TestCertificates.Make("www.example.com");
        using ECDsa key = made.GetECDsaPrivateKey()!;
        string encrypted = key.ExportEncryptedPkcs8PrivateKeyPem("secret", new PbeParameters(PbeEncryptionAlgorithm.Aes256Cbc, HashAlgorithmName.SHA256, 1000));
        CertificateOptions options = new() { CertificateFile = _files.Write("c.pem", made.ExportCertificatePem()), KeyFile = _files.Write("c.key", encrypted) };
        Fails(options, "KeyFile", "has an encrypted key; set Password or PasswordFile");

        options.Password = "wrong";
        Fails(options, "KeyFile", "has a key that the password does not open, or that is not the certificate's");
        options.Password = "secret";
        Assert.True(CertificateFiles.Load(options).Certificate.HasPrivateKey);
        options.Password = null;
        options.PasswordFile = _files.Write("password", "secret\n");
        Assert.True(CertificateFiles.Load(options).Certificate.HasPrivateKey);
    }

    [Fact]
    public void A_PFX_file_brings_its_key_and_wants_its_password()
    {
        using X509Certificate2 made = TestCertificates.Make("www.example.com");
        string file = _files.PathOf("c.pfx");
        File.WriteAllBytes(file, made.Export(X509ContentType.Pfx, "secret"));

        Assert.Equal(["www.example.com"], CertificateFiles.Load(new CertificateOptions { PfxFile = file, Password = "secret" }).Names);
        Fails(new CertificateOptions { PfxFile = file }, "PfxFile", "is no PKCS #12 file, or needs a Password");
        Fails(new CertificateOptions { PfxFile = file, Password = "wrong" }, "PfxFile", "is no PKCS #12 file, or the password is wrong");
    }

    [Fact]
    public void What_can_not_be_used_is_named_with_its_file()
    {
        using X509Certificate2 made = TestCertificates.Make("www.example.com"), other = TestCertificates.Make("other.example.com");
        string bare = _files.Write("bare.pem", made.ExportCertificatePem());
        string otherKey = _files.Write("other.key", TestCertificates.KeyOf(other));

        Fails(new CertificateOptions(), "CertificateFile", "is required, or a PfxFile");
        Fails(new CertificateOptions { CertificateFile = _files.PathOf("gone.pem") }, "CertificateFile", "is not there");
        Fails(new CertificateOptions { CertificateFile = bare }, "CertificateFile", "has no private key; if it is in another file, set KeyFile");
        Fails(new CertificateOptions { CertificateFile = bare, KeyFile = bare }, "KeyFile", "has no private key");
        Fails(new CertificateOptions { CertificateFile = bare, KeyFile = otherKey }, "KeyFile", $"has a key that is not that of the certificate in {bare}");
        Fails(new CertificateOptions { CertificateFile = otherKey }, "CertificateFile", "has no certificate: no line says BEGIN CERTIFICATE");
        Fails(new CertificateOptions { CertificateFile = bare, KeyFile = _files.Write("bad.key", "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----") }, "KeyFile", "has a key that can't be read");
        Fails(
            new CertificateOptions { CertificateFile = bare, KeyFile = _files.Write("old.key", "-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n") },
            "KeyFile",
            "has a key that is encrypted in the old way; convert it with openssl pkcs8 -topk8");
        Fails(new CertificateOptions { CertificateFile = _files.Write("cut.pem", "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----") }, "CertificateFile", "has a certificate that can't be read");
        Assert.Equal("is not there", Assert.Throws<CertificateException>(() => CertificateFiles.List(_files.PathOf("nowhere"))).Reason);
        Directory.CreateDirectory(_files.PathOf("empty"));
        Assert.StartsWith("has no certificate", Assert.Throws<CertificateException>(() => CertificateFiles.List(_files.PathOf("empty"))).Reason, StringComparison.Ordinal);
    }

    private static void Fails(CertificateOptions options, string key, string reason)
    {
        CertificateException error = Assert.Throws<CertificateException>(() => CertificateFiles.Load(options));
        Assert.Equal((key, reason), (error.Key, error.Reason));
    }

    [Fact]
    public void A_list_of_names_that_is_no_list_is_a_fault_of_the_file()
    {
        using ECDsa key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        CertificateRequest request = new("CN=www.example.com", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509Extension("2.5.29.17", [1, 2, 3], critical: false));
        using X509Certificate2 broken = request.CreateSelfSigned(new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero), new DateTimeOffset(2120, 1, 1, 0, 0, 0, TimeSpan.Zero));
        string file = _files.Write("broken.pem", broken.ExportCertificatePem() + "\n" + TestCertificates.KeyOf(broken) + "\n");
        CertificateException error = Assert.Throws<CertificateException>(() => CertificateFiles.Load(new CertificateOptions { CertificateFile = file }));
        Assert.Equal(("CertificateFile", file), (error.Key, error.File));
    }
}
