namespace Lb.Transport;

/// <summary>Looks at the files of networks that rules name: each must be there and without a fault before anything starts.</summary>
internal static class AddressFiles
{
    public static void Validate(LbOptions options, ICollection<ConfigurationError> errors)
    {
        foreach ((string name, GatewayOptions gateway) in options.Gateways)
        {
            for (int i = 0; i < gateway.Access.Count; i++)
            {
                if (gateway.Access[i].FromFile is not { } file || string.IsNullOrWhiteSpace(file)) continue;
                using AddressListFile list = new(file, new AddressList());
                foreach (ConfigurationError fault in list.Load())
                    errors.Add(new($"{options.Path}:Gateways:{name}:Access:{i}:FromFile", file, fault.ToString()));
            }
        }
    }
}
